"""Settings: what the environment and `.env` may say, in one table.

Every name, default, purpose and alias stands once, here; docs/configuration.md and .env.example are printed from it
by `make docs`. Faces and jobs read settings and hand plain values down; numbers and methods never see them.
"""

import difflib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

from dotenv import dotenv_values
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import URL

from tsbench.errors import BadInput

PREFIX = "TSBENCH_"
# names the test suite reads itself; they are no settings of the program
TEST_PREFIX = "TSBENCH_TEST_"
HOME_MARKS = (".env", "pyproject.toml", "notebooks", "data/.services")


class Settings(BaseSettings):
    """All settings, read from the environment, then `.env`, then the defaults."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL to work in. Unset: an embedded server of this project, started on demand.",
        validation_alias=AliasChoices("TSBENCH_DATABASE_URL", "DATABASE_URL", "PG_CONN"),
    )
    database_host: str | None = Field(
        None,
        description="Host of the database, when no URL is given; the four names below complete it.",
        validation_alias=AliasChoices("TSBENCH_DATABASE_HOST", "DATABASE_HOST"),
    )
    database_port: int = Field(
        5432,
        ge=1,
        le=65535,
        description="Port of the database.",
        validation_alias=AliasChoices("TSBENCH_DATABASE_PORT", "DATABASE_PORT"),
    )
    database_name: str = Field(
        "tsbench",
        description="Name of the database.",
        validation_alias=AliasChoices("TSBENCH_DATABASE_NAME", "DATABASE_NAME"),
    )
    database_user: str = Field(
        "tsbench",
        description="User of the database.",
        validation_alias=AliasChoices("TSBENCH_DATABASE_USER", "DATABASE_USER"),
    )
    database_password: SecretStr | None = Field(
        None,
        description="Password of the database user.",
        validation_alias=AliasChoices("TSBENCH_DATABASE_PASSWORD", "DATABASE_PASSWORD"),
    )
    redis_url: SecretStr | None = Field(
        None,
        description="Redis to work with. Unset: an embedded Valkey beside the embedded PostgreSQL.",
        validation_alias=AliasChoices("TSBENCH_REDIS_URL", "REDIS_URL"),
    )
    home: Path = Field(
        Path("."),
        description="Project folder: `.env`, embedded data, notebooks and reports lie in it. "
        "Default: the current folder or the nearest one above with a `.env`, `pyproject.toml` or `notebooks`.",
    )
    reports: Path = Field(
        Path("reports"), description="Folder of the finished reports; relative to the project folder."
    )
    model_state_folder: Path = Field(
        Path("data/models"),
        description="Where `tsbench export` writes models of series; relative to the project folder.",
        validation_alias=AliasChoices("TSBENCH_MODEL_STATE_FOLDER", "MODEL_STATE_FOLDER", "MODEL_FOLDER"),
    )
    training_data_folder: Path = Field(
        Path("data/data"),
        description="Where `tsbench export` writes what they were fitted on; relative to the project folder.",
        validation_alias=AliasChoices("TSBENCH_TRAINING_DATA_FOLDER", "TRAINING_DATA_FOLDER", "DATA_FOLDER"),
    )
    pattern: str = Field(
        "overlooked", description="Pattern that a command and the service work with when none is named."
    )
    pattern_version: int = Field(
        0,
        ge=0,
        le=999_999_999,
        description="Version of its detector that GET /pattern/{symbol} asks when none is named; 0 = the latest.",
    )
    q_limit: float = Field(
        0.1, gt=0, lt=1, description="Largest q-value (expected share of false finds) that counts as a match."
    )
    workers: int = Field(0, ge=0, description="Threads of a scan; 0 = one per core.")
    report_deadline: float = Field(300.0, gt=0, description="Seconds one report may take before it is stopped.")
    serve_host: str = Field("127.0.0.1", description="Address the service listens on; 0.0.0.0 = all.")
    serve_port: int = Field(8000, ge=1, le=65535, description="Port of the service.")
    serve_workers: int = Field(1, ge=1, le=256, description="Processes of the service.")
    api_token: SecretStr | None = Field(
        None,
        description="When set, every route but health, /metrics and the docs wants `Authorization: Bearer` with it.",
    )
    max_body_bytes: int = Field(
        64 * 2**20, ge=1_024, description="Largest body of a request to the service; a larger one is a 413."
    )
    max_points: int = Field(1_000_000, ge=3, description="Most values in one request to the service; more is a 413.")
    request_timeout: float = Field(
        60.0, gt=0, description="Seconds after which the service gives up on a request with a 503."
    )
    rate_limit: int = Field(
        0, ge=0, description="Requests that a client may make to the service per minute, over all workers; 0 = any."
    )
    cors_origins: str = Field(
        "", description="Origins whose pages may call the service, separated by commas; `*` = all. Unset: none."
    )
    trusted_hosts: str = Field(
        "", description="Host names the service answers to, separated by commas, `*.example.org` allowed. Unset: any."
    )
    latency_history_limit: int = Field(
        100,
        ge=1,
        description="Latencies kept in Redis per kind of request, for /healthcheck.",
        validation_alias=AliasChoices("TSBENCH_LATENCY_HISTORY_LIMIT", "LATENCY_HISTORY_LIMIT"),
    )
    min_training_points: int = Field(
        3,
        ge=3,
        description="Fewest values that POST /fit accepts.",
        validation_alias=AliasChoices("TSBENCH_MIN_TRAINING_POINTS", "MIN_TRAINING_DATA_POINTS"),
    )
    model_cache_size: int = Field(
        10_000,
        ge=1,
        description="Fitted models that each worker of the service keeps in memory.",
        validation_alias=AliasChoices("TSBENCH_MODEL_CACHE_SIZE", "MODEL_CACHE_SIZE"),
    )
    pool_size: int = Field(16, ge=2, le=1_000, description="Connections that a process opens to the database, at most.")
    pool_timeout: float = Field(
        10.0, gt=0, description="Seconds to wait for a free one of them before giving up (a 503 of the service)."
    )
    access_log_per_second: int = Field(
        10,
        ge=0,
        description="Most successful requests that a worker logs per second; others always are.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", description="Least urgent log line shown; `debug` also shows tracebacks."
    )

    @field_validator("redis_url")
    @classmethod
    def _is_address(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None and not given.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("wanted redis://HOST:PORT/0, rediss://... or unix://PATH")
        return given

    @property
    def database(self) -> str | None:
        """URL of the user's own database as it was given, or None for the embedded one.

        Holds the password: for connecting, never for printing.
        """
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        if self.database_host is None:
            return None
        password = None if self.database_password is None else self.database_password.get_secret_value()
        url = URL.create(
            "postgresql+psycopg2",
            self.database_user,
            password,
            self.database_host,
            self.database_port,
            self.database_name,
        )
        return url.render_as_string(hide_password=False)

    @property
    def reports_folder(self) -> Path:
        """The reports folder as a full path."""
        return (self.home / self.reports).resolve()


def find_home(start: Path | None = None) -> Path:
    """The project folder: `start` (default: the current folder), or the nearest one above it that looks like one.

    So a notebook in notebooks/ and a command in the folder above share one database.
    """
    start = (start or Path.cwd()).resolve()
    above = (folder for folder in (start, *start.parents) if any((folder / mark).exists() for mark in HOME_MARKS))
    return next(above, start)


def read_settings(*, home: Path | None = None) -> Settings:
    """The settings in force now: from the environment, else from `.env` in the project folder, else the defaults.

    Parameters
        home : project folder; None = TSBENCH_HOME, else as `find_home` finds it.
    Raises     BadInput: a value is wrong, or a TSBENCH_* name is not known; the message names the nearest known one.
    """
    home = (home or Path(os.environ.get(PREFIX + "HOME") or find_home())).resolve()
    env_file = home / ".env"
    refuse_unknown([*os.environ, *dotenv_values(env_file)])
    try:
        return Settings(home=home, _env_file=env_file)  # type: ignore[call-arg]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = str(first["loc"][0])
        name = field if field.isupper() else PREFIX + field.upper()
        cause = first.get("ctx", {}).get("error")
        raise BadInput(f"setting {name}: {cause or first['msg']}; see docs/configuration.md") from error


def refuse_unknown(names: Iterable[str]) -> None:
    """Nothing, when every TSBENCH_* among `names` is a setting.

    Raises     BadInput: one is not; a mistyped setting would otherwise be ignored in silence.
    """
    known = [setting.name for setting in table()]
    known += [alias for setting in table() for alias in setting.aliases]
    for name in names:
        if name.upper().startswith(PREFIX) and not name.startswith(TEST_PREFIX) and name.upper() not in known:
            # without the prefix, which would make every name look alike
            ours = [k.removeprefix(PREFIX) for k in known if k.startswith(PREFIX)]
            near = difflib.get_close_matches(name.upper().removeprefix(PREFIX), ours, n=1)
            hint = f"did you mean {PREFIX}{near[0]}?" if near else f"known: {', '.join(known)}"
            raise BadInput(f"unknown setting {name}; {hint}")


class Setting(NamedTuple):
    """One row of the table of settings."""

    name: str
    aliases: tuple[str, ...]
    default: str
    purpose: str


def table() -> list[Setting]:
    """Every setting, in the order of the class: name, aliases, default as text, purpose."""
    return [_row(field, about) for field, about in Settings.model_fields.items()]


def _row(field: str, about: FieldInfo) -> Setting:
    choices = about.validation_alias
    names = [str(c) for c in choices.choices] if isinstance(choices, AliasChoices) else [PREFIX + field.upper()]
    default = "" if about.default is None else str(about.default)
    return Setting(names[0], tuple(names[1:]), default, about.description or "")


def as_markdown() -> str:
    """docs/configuration.md: the table of settings."""
    lines = [
        "# Settings",
        "Read from the environment, then from `.env` in the project folder, then the default. An unknown `TSBENCH_*`",
        "name is an error that names the nearest known one. Secrets never appear in logs or in `repr`.",
        "This page is printed from `tsbench/settings.py` by `make docs`.",
        "",
        "| name | also read as | default | purpose |",
        "|---|---|---|---|",
    ]
    for setting in table():
        aliases = ", ".join(f"`{alias}`" for alias in setting.aliases)
        default = f"`{setting.default}`" if setting.default else "unset"
        lines.append(f"| `{setting.name}` | {aliases} | {default} | {setting.purpose} |")
    return "\n".join([*lines, ""])


def as_env_example() -> str:
    """.env.example: every setting, commented out, with its default."""
    lines = ["# Copy to .env and uncomment what you change. Printed from tsbench/settings.py by `make docs`."]
    # the file lies in the project folder, so it cannot say where that is
    for setting in (s for s in table() if s.name != PREFIX + "HOME"):
        names = f" (also {', '.join(setting.aliases)})" if setting.aliases else ""
        lines += ["", f"# {setting.purpose}{names}", f"# {setting.name}={setting.default}"]
    return "\n".join([*lines, ""])
