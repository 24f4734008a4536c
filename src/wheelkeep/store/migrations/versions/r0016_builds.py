"""Wheels that were built here, with what the keep states of them."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "builds",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("sdist", sa.String, nullable=False),
        sa.Column("python", sa.String, nullable=False),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("project", sa.String, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("gone", sa.Integer, nullable=False, server_default="0"),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
    )
    op.create_index("builds_by_sdist", "builds", ["sdist"])
    op.create_index("builds_by_wheel", "builds", ["sha256"])
    op.create_index("builds_by_project", "builds", ["project"])


def downgrade() -> None:
    op.drop_table("builds")
