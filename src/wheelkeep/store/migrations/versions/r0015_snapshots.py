"""Snapshots, their pages, and what those pages say: the same page of many snapshots lies here once."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "snapshots",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("index_name", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("projects", sa.Integer, nullable=False),
        sa.Column("files", sa.Integer, nullable=False),
        sa.Column("here", sa.Integer, nullable=False),
        sa.Column("deleted", sa.Float),
    )
    op.create_table(
        "snapshot_pages",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("project", sa.String, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("snapshot_pages_by_body", "snapshot_pages", ["body"])
    op.create_table(
        "snapshot_bodies",
        sa.Column("sha256", sa.LargeBinary, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("snapshot_bodies")
    op.drop_table("snapshot_pages")
    op.drop_table("snapshots")
