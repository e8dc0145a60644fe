"""Run by Alembic for each command; the connection and its transaction belong to the caller."""

from alembic import context
from sqlalchemy import text

from resources.store.tables import SCHEMA, metadata

connection = context.config.attributes["connection"]
connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
# Not `alembic_version`: Dagster has one, and in a database of both a role named like our schema would mix them up.
context.configure(
    connection=connection, target_metadata=metadata, version_table="schema_version", version_table_schema=SCHEMA
)
with context.begin_transaction():
    context.run_migrations()
