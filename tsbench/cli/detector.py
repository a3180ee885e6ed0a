"""`tsbench patterns`, `train` and `warmup`: shapes, and the detectors made of them."""

from tsbench.cli.output import say, show_json, show_table
from tsbench.cli.session import has_store, need_companies, open_store, session


def patterns(name: str | None = None) -> None:
    """List the patterns, shipped and saved, or show one as JSON.

    Parameters
    ----------
    name
        The pattern to show.
    """
    from tsbench import jobs
    from tsbench.patterns import library
    from tsbench.patterns import named as shipped_as

    settings, saved = session(), []
    # to look at patterns is no reason to make a store
    if has_store(settings):
        with open_store(settings) as store:
            if name is not None:
                show_json(jobs.resolve(store, name).to_json())
                return
            saved = store.patterns.names()
    elif name is not None:
        show_json(shipped_as(name).to_json())
        return
    shipped = library()
    known = [*shipped, *(n for n in saved if n not in shipped)]
    show_table(
        {
            "pattern": known,
            "kept in": ["shipped" if n in shipped else "database" for n in known],
            "what it is": [shipped[n].description if n in shipped else "" for n in known],
        }
    )


def train(pattern: str | None = None, *, seed: int = 0) -> None:
    """Fit the detector of a pattern to the companies in the store and register it as a new version.

    Parameters
    ----------
    pattern
        Name of a shipped or saved pattern. Default: TSBENCH_PATTERN.
    seed
        Seed of the random series that stand for chance.
    """
    from tsbench import jobs

    settings = session()
    with open_store(settings) as store:
        need_companies(store)
        print(jobs.train(store, pattern or settings.pattern, seed=seed))


def warmup() -> None:
    """Compile the kernels once and keep them, so that no later process waits for that."""
    from tsbench.jobs import warm

    say("compiling kernels ...")
    print(f"kernels ready in {warm():.1f} s")
