"""Publishing sessions of the Upload API 2.0, and the files in them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "upload_sessions",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("token", sa.String, nullable=False, unique=True),
        sa.Column("index", sa.String, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("project", sa.String, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("creator", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("notice", sa.Text),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
        sa.Column("ended", sa.Float),
    )
    op.create_index(
        "open_upload_sessions",
        "upload_sessions",
        ["source", "project", "version"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "upload_session_files",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("session", sa.String, nullable=False),
        sa.Column("filename", sa.String, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("hashes", sa.Text, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("notice", sa.Text),
        sa.Column("bytes", sa.String),
        sa.Column("sha256", sa.String),
        sa.Column("attestations", sa.Text),
        sa.Column("file", sa.LargeBinary),
        sa.Column("described", sa.LargeBinary),
        sa.Column("provenance", sa.LargeBinary),
        sa.Column("attested", sa.Text),
    )
    op.create_index("upload_session_files_by_session", "upload_session_files", ["session"])


def downgrade() -> None:
    op.drop_table("upload_session_files")
    op.drop_table("upload_sessions")
