"""Alembic's revisions, run by store.database; the head's name is store.database.HEAD."""
