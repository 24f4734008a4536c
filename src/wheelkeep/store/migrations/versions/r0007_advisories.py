"""What is known against projects: advisories from dumps, which dumps came when, and which alerts were given."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("origin_documents", sa.Column("etag", sa.Text))
    op.create_table(
        "advisory_records",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("modified", sa.Float, nullable=False),
        sa.Column("mark", sa.String, nullable=False),
    )
    op.create_table(
        "advisories",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("project", sa.String, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("advisories_by_project", "advisories", ["project"])
    op.create_table(
        "advisory_dumps",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("whole", sa.Integer, nullable=False),
        sa.Column("records", sa.Integer, nullable=False),
    )
    op.create_table(
        "advisory_alerts",
        sa.Column("source", sa.String, primary_key=True),
        sa.Column("filename", sa.String, primary_key=True),
        sa.Column("advisory", sa.String, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
    )


def downgrade() -> None:
    for table in ("advisory_alerts", "advisory_dumps", "advisories", "advisory_records"):
        op.drop_table(table)
    op.drop_column("origin_documents", "etag")
