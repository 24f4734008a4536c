"""Alembic's entry: runs the revisions on the connection that store.database hands over."""

from alembic import context

from wheelkeep.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
