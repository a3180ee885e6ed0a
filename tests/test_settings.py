"""Settings: aliases, normalised URLs, unknown names, secrets."""

import os
from pathlib import Path

import pytest

from tsbench.errors import BadInput
from tsbench.settings import as_env_example, find_home, read_settings, table
from tsbench.store.engine import address


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests."""
    names = {name for setting in table() for name in (setting.name, *setting.aliases)}
    for name in names & set(os.environ):
        monkeypatch.delenv(name)


def test_without_anything_the_database_is_the_embedded_one(tmp_path: Path) -> None:
    settings = read_settings(home=tmp_path)
    assert settings.database is None
    assert settings.reports_folder == tmp_path / "reports"


@pytest.mark.parametrize("name", ["TSBENCH_DATABASE_URL", "DATABASE_URL", "PG_CONN"])
def test_every_alias_names_the_same_database(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgres://ada:se%40cret@db:5433/shapes?sslmode=require"
    monkeypatch.setenv(name, url)
    assert read_settings(home=tmp_path).database == url
    expected = "postgresql+psycopg2://ada:se%40cret@db:5433/shapes?sslmode=require"
    assert address(url).render_as_string(hide_password=False) == expected


def test_five_parts_make_a_url_when_none_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part, value in {"HOST": "db", "PORT": "5433", "NAME": "shapes", "USER": "ada", "PASSWORD": "p/w@x"}.items():
        monkeypatch.setenv(f"DATABASE_{part}", value)
    assert read_settings(home=tmp_path).database == "postgresql+psycopg2://ada:p%2Fw%40x@db:5433/shapes"
    monkeypatch.setenv("DATABASE_URL", "postgresql://u@other/n")
    assert read_settings(home=tmp_path).database == "postgresql://u@other/n"


def test_the_environment_goes_before_the_file_whatever_the_alias(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("TSBENCH_DATABASE_URL=postgresql://file@h/n\nTSBENCH_Q_LIMIT=0.2\nOTHER=1\n")
    assert read_settings(home=tmp_path).database == "postgresql://file@h/n"
    monkeypatch.setenv("PG_CONN", "postgresql://environment@h/n")
    settings = read_settings(home=tmp_path)
    assert settings.database == "postgresql://environment@h/n"
    assert settings.q_limit == 0.2


def test_an_empty_variable_is_an_unset_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("TSBENCH_WORKERS", "")
    assert read_settings(home=tmp_path).database is None


def test_an_unknown_name_is_refused_and_the_nearest_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TSBENCH_QLIMIT", "0.2")
    with pytest.raises(BadInput, match=r"unknown setting TSBENCH_QLIMIT; did you mean TSBENCH_Q_LIMIT\?"):
        read_settings(home=tmp_path)


def test_an_unknown_name_in_the_file_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TSBENCH_REPORT=elsewhere\n")
    with pytest.raises(BadInput, match="unknown setting TSBENCH_REPORT; did you mean TSBENCH_REPORTS"):
        read_settings(home=tmp_path)


def test_names_of_the_test_suite_are_not_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TSBENCH_TEST_DATABASE_URL", "postgresql://x")
    assert read_settings(home=tmp_path).database is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("TSBENCH_Q_LIMIT", "1.5"), ("TSBENCH_WORKERS", "-1"), ("DATABASE_PORT", "high"), ("TSBENCH_LOG_LEVEL", "loud")],
)
def test_a_wrong_value_names_the_setting(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadInput, match=name):
        read_settings(home=tmp_path)


@pytest.mark.parametrize("url", ["mysql://u:hunter2@h/n", "postgresql+asyncpg://u:hunter2@h/n", "hunter2"])
def test_another_database_is_refused_without_repeating_the_password(url: str) -> None:
    with pytest.raises(BadInput) as refused:
        address(url)
    assert "hunter2" not in str(refused.value)


def test_secrets_are_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hunter2@h/n")
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    settings = read_settings(home=tmp_path)
    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump_json()}"


@pytest.mark.parametrize("mark", ["pyproject.toml", ".env", "notebooks"])
def test_home_is_the_nearest_project_folder_above(mark: str, tmp_path: Path) -> None:
    inner = tmp_path / "project" / "deep" / "deeper"
    inner.mkdir(parents=True)
    assert find_home(inner) == inner
    (tmp_path / "project" / mark).mkdir()
    assert find_home(inner) == tmp_path / "project"


def test_the_example_file_states_the_defaults(tmp_path: Path) -> None:
    uncommented = as_env_example().replace("# TSBENCH_", "TSBENCH_")
    (tmp_path / ".env").write_text(uncommented)
    assert read_settings(home=tmp_path) == read_settings(home=tmp_path / "absent").model_copy(update={"home": tmp_path})
