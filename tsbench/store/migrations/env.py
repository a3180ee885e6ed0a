"""What alembic runs to migrate: on the connection that `tsbench.store.schema` opened, in its transaction."""

from alembic import context

from tsbench.store.tables import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE
)
context.run_migrations()
