"""The schema: one migration path, checked against what the code expects."""

import pandas as pd
import psycopg2.extensions
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg2 import sql
from psycopg2.errors import CheckViolation

from tests.store.company_files import HEADER, long
from tsbench.errors import BadInput, Unavailable
from tsbench.patterns import Channel, Pattern
from tsbench.records import State
from tsbench.store import Store, embedded, schema, statements
from tsbench.store.engine import transaction
from tsbench.store.tables import VERSION_TABLE, metadata


def test_migrations_lead_to_the_tables_the_code_expects(store):
    with store.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []
    assert store.check() == []


def test_the_newest_migration_is_the_one_the_code_knows():
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_an_upgrade_again_changes_nothing_and_keeps_rows(store):
    store.runs.put({"id": "kept"})
    store.upgrade()
    assert [r["id"] for r in store.runs.list()] == ["kept"]


def _migrate(store, how, to):
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    with store.engine.begin() as connection:
        config.attributes["connection"] = connection
        how(config, to)


def _held(store):
    """Every row of the tables of 0001, as text."""
    with transaction(store.engine) as cursor:
        held = {}
        for name in FIRST_TABLES:
            cursor.execute(sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(sql.Identifier(name)))
            held[name] = cursor.fetchall()
    return held


FIRST_TABLES = (
    "company", "load_file", "last_version", "pattern", "model_version", "scan", "scan_chunk", "match", "run",
)  # fmt: skip
LABELLED = {"entity": "A", "channels": ["roic"], "start": "2015-03-31", "end": "2018-03-31"}


def test_an_upgrade_from_the_first_tables_keeps_what_they_hold(server_url, file):
    valley = Channel("roic", ((0, 1), (0.5, 0), (1, 1)))
    with embedded.fresh_database(server_url) as url, Store(url) as store:
        _migrate(store, command.upgrade, "0001")
        assert store.check() == [f"its tables are of version 0001, this tsbench wants {schema.HEAD}"]
        store.load(file(HEADER + long()), progress=False)
        store.patterns.save(Pattern("dip", (valley,), length=(8, 24)))
        store.registry.put("dip", State("k", 1, {}, {}), metrics={}, data_hash="h", seed=0)
        store.scans.begin("s", {"name": "dip"}, {"where": "now"}, "h")
        store.scans.put_chunk("s", 0, pd.DataFrame({"entity": ["A"], "status": ["tested"], "p_value": [0.1]}))
        store.scans.finish("s", {"A": 0.1})
        store.runs.put({"id": "kept"})
        held = _held(store)
        assert all(held.values())
        with pytest.raises(Unavailable, match=r'"label" does not exist.*tsbench db upgrade'):
            store.labels.of("dip")

        store.upgrade()
        assert store.check() == []
        assert _held(store) == held
        store.labels.put("dip", LABELLED, "accept", scan_id="s")

        _migrate(store, command.downgrade, "0001")
        assert _held(store) == held
        store.upgrade()
        assert store.check() == []
        assert store.labels.of("dip").empty


def test_a_label_of_another_verdict_is_refused_by_the_table_too(store):
    store.labels.put("dip", LABELLED, "accept")
    with pytest.raises(CheckViolation, match="label_verdict"), transaction(store.engine) as cursor:
        cursor.execute("UPDATE label SET verdict = 'maybe'")


def test_a_given_database_is_never_migrated_unasked(server_url):
    with embedded.fresh_database(server_url) as url, Store(url) as store:
        assert store.check() == ["it holds no tables of tsbench"]
        with pytest.raises(Unavailable, match="tsbench db upgrade"):
            store.companies()
        assert store.check() == ["it holds no tables of tsbench"]
        store.upgrade()
        assert store.check() == []


def test_check_names_every_column_that_differs(store):
    with transaction(store.engine) as cursor:
        cursor.execute("ALTER TABLE company DROP COLUMN sector")
        cursor.execute("ALTER TABLE match ALTER COLUMN length TYPE bigint")
        cursor.execute("CREATE TABLE of_somebody_else (x int)")
    assert store.check() == [
        "column company.sector is missing",
        "column match.length is bigint, wanted integer",
    ]


def test_a_database_of_a_newer_version_is_left_alone(store):
    with transaction(store.engine) as cursor:
        cursor.execute("UPDATE tsbench_version SET version_num = '9999'")
    assert store.check() == [f"its tables are of version 9999, this tsbench wants {schema.HEAD}"]
    with pytest.raises(Unavailable, match="newer"):
        store.upgrade()


def test_every_statement_is_named_and_used_with_bound_parameters():
    for name in statements.names():
        text = statements.statement(name)
        assert text
        assert "{" not in text.replace("{}", "")
        assert "%s" not in text


@pytest.mark.parametrize(
    ("url", "message"),
    [("sqlite:///x.db", "PostgreSQL only"), ("no url", "cannot be read"), ("mysql://u@h/d", "PostgreSQL only")],
)
def test_another_kind_of_database_is_refused(url, message):
    with pytest.raises(BadInput, match=message):
        Store(url)


def test_a_database_that_does_not_answer_is_unavailable_and_its_password_stays_secret(tmp_path):
    with Store(f"postgres://me:secret@/none?host={tmp_path}") as store, pytest.raises(Unavailable) as caught:
        store.companies()
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(store)
    assert store.url == f"postgresql+psycopg2://me:secret@/none?host={str(tmp_path).replace('/', '%2F')}"


def test_a_failed_transaction_leaves_nothing_and_the_pool_works_on(store):
    def insert_and_fail():
        with transaction(store.engine) as cursor:
            cursor.execute(statements.statement("put_run"), {"id": "half", "record": "{}"})
            raise KeyboardInterrupt

    for _ in range(20):
        with pytest.raises(KeyboardInterrupt):
            insert_and_fail()
    assert store.runs.list() == []


def test_a_store_changes_how_jsonb_is_read_on_its_own_connections_only(database_url):
    before = dict(psycopg2.extensions.string_types)
    with Store(database_url) as store, transaction(store.engine) as cursor:
        cursor.execute("""SELECT '{"a": [1, null, 0.1]}'::jsonb""")
        assert cursor.fetchone() == ({"a": [1, None, 0.1]},)
    assert psycopg2.extensions.string_types == before
