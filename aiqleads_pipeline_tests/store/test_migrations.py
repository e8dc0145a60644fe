"""The schema: migrations and tables.py agree, up and down with data, one at a time, never over a newer one."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from resources.store.database import SCHEMA_HEAD, Store
from resources.store.errors import SchemaTooNew
from resources.store.migrations import configuration, downgrade, upgrade
from resources.store.migrations.render import RENDERED, Rendered, render
from resources.store.tables import SCHEMA, metadata


def test_the_migrated_schema_is_what_tables_py_says(store: Store) -> None:
    options = {
        "include_schemas": True,
        "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
        "compare_type": True,
        "compare_server_default": True,
        "version_table": "schema_version",
        "version_table_schema": SCHEMA,
    }
    with store.engine.connect() as con:
        assert compare_metadata(MigrationContext.configure(con, opts=options), metadata) == []


@pytest.mark.parametrize("migration", RENDERED, ids=lambda migration: migration.revision)
def test_until_released_the_migrations_are_tables_py(migration: Rendered) -> None:
    hint = "tables.py changed: python -m resources.store.migrations.render"
    assert migration.file.read_text(encoding="utf-8") == render(migration), hint


def test_the_head_read_from_file_names_is_alembics_head(store: Store) -> None:
    with store.engine.connect() as con:
        assert ScriptDirectory.from_config(configuration(con)).get_heads() == [SCHEMA_HEAD]


def test_every_migration_goes_down_and_up_again_with_data(store: Store) -> None:
    with store.transaction("store:fill") as con:
        con.execute(text("INSERT INTO aiqleads.identity_keys VALUES (1, 0, gen_random_uuid())"))
    with store.transaction("store:down") as con:
        downgrade(con, "base")
    with store.engine.connect() as con:
        assert inspect(con).get_table_names(schema=SCHEMA) == ["schema_version"]
    with store.transaction("store:up") as con:
        upgrade(con)
    with store.read() as con:
        assert con.execute(text("SELECT count(*) FROM aiqleads.identity_keys")).scalar_one() == 0


def test_the_doors_tables_come_and_go_and_leave_the_leads_alone(store: Store) -> None:
    with store.transaction("store:fill") as con:
        con.execute(text("INSERT INTO aiqleads.identity_keys VALUES (1, 0, gen_random_uuid())"))
        con.execute(text("INSERT INTO aiqleads.lead_quotas VALUES ('partner', 3)"))
    with store.transaction("store:down") as con:
        downgrade(con, "0001")
    with store.engine.connect() as con:
        assert not {"lead_quotas", "api_keys"} & set(inspect(con).get_table_names(schema=SCHEMA))
    with store.transaction("store:up") as con:
        upgrade(con)
    with store.read() as con:
        assert con.execute(text("SELECT count(*) FROM aiqleads.identity_keys")).scalar_one() == 1
        assert con.execute(text("SELECT count(*) FROM aiqleads.lead_quotas")).scalar_one() == 0


def test_a_current_schema_costs_one_query(store: Store) -> None:
    with store.engine.connect() as con:
        before = con.execute(text("SELECT xmin FROM aiqleads.schema_version")).scalar_one()
    store.migrate()
    with store.engine.connect() as con:
        assert con.execute(text("SELECT xmin FROM aiqleads.schema_version")).scalar_one() == before


def test_a_newer_schema_is_refused(store: Store) -> None:
    with store.transaction("store:future") as con:
        con.execute(text("UPDATE aiqleads.schema_version SET version_num = '9999'"))
    with pytest.raises(SchemaTooNew, match=f"has schema 9999, this release knows {SCHEMA_HEAD}"):
        store.migrate()


def test_many_start_at_once_and_one_migrates(empty_database_url: str) -> None:
    stores = [Store.open(empty_database_url, Path("/nonexistent")) for _ in range(4)]
    errors: list[BaseException] = []

    def migrate(store: Store) -> None:
        try:
            store.migrate()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=migrate, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with stores[0].read() as con:
        assert con.execute(text("SELECT version_num FROM aiqleads.schema_version")).scalars().all() == [SCHEMA_HEAD]
    for store in stores:
        store.close()
