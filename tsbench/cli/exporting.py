"""`tsbench export`: fitted series as files."""

from tsbench.cli.output import say
from tsbench.cli.session import open_store, session


def export(*series: str) -> None:
    """Write fitted versions of series as files: v1.json with the model's state, v1.csv with what it was fitted on.

    They go to the folders MODEL_STATE_FOLDER and TRAINING_DATA_FOLDER, one folder per series; what is there stays.

    Parameters
    ----------
    series
        Names of series. Default: all.
    """
    from tqdm.auto import tqdm

    from tsbench.store import series_files

    settings = session()
    models, training = settings.home / settings.model_state_folder, settings.home / settings.training_data_folder
    with open_store(settings) as store:
        steps = series_files.export(store.series_versions, models=models, training=training, series=series or None)
        written = [new for _, new in tqdm(steps, unit="version", desc="export")]
    say(f"{sum(written)} of {len(written)} versions written; models in {models}, training series in {training}")
