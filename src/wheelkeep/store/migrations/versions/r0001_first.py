"""The first tables: pages, documents, metadata, directory and hosted files, the ledger, health."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "pages",
        sa.Column("source", sa.String, primary_key=True),
        sa.Column("project", sa.String, primary_key=True),
        sa.Column("body", sa.LargeBinary),
        sa.Column("etag", sa.Text),
        sa.Column("checked", sa.Float, nullable=False),
    )
    op.create_table(
        "origin_documents",
        sa.Column("source", sa.String, primary_key=True),
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("checked", sa.Float, nullable=False),
    )
    op.create_table(
        "wheel_metadata",
        sa.Column("source", sa.String, primary_key=True),
        sa.Column("filename", sa.String, primary_key=True),
        sa.Column("project", sa.String, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("own", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("wheel_metadata_by_project", "wheel_metadata", ["source", "project"])
    op.create_table(
        "directory_files",
        sa.Column("source", sa.String, primary_key=True),
        sa.Column("path", sa.String, primary_key=True),
        sa.Column("stamp", sa.String, nullable=False),
        sa.Column("file", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "hosted_files",
        sa.Column("source", sa.String, primary_key=True),
        sa.Column("filename", sa.String, primary_key=True),
        sa.Column("project", sa.String, nullable=False),
        sa.Column("file", sa.LargeBinary),
    )
    op.create_index("hosted_by_project", "hosted_files", ["source", "project"])
    op.create_table(
        "ledger",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("source", sa.String),
        sa.Column("project", sa.String),
        sa.Column("filename", sa.String),
        sa.Column("detail", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ledger_by_kind", "ledger", ["kind", "id"])
    op.create_table(
        "source_health",
        sa.Column("source", sa.String, primary_key=True),
        sa.Column("answered", sa.Float),
        sa.Column("failed", sa.Float),
        sa.Column("reason", sa.Text),
    )


def downgrade() -> None:
    for table in (
        "source_health",
        "ledger",
        "hosted_files",
        "directory_files",
        "wheel_metadata",
        "origin_documents",
        "pages",
    ):
        op.drop_table(table)
