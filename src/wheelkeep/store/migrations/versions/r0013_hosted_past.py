"""What was on a hosted page and is no longer."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "hosted_past",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("project", sa.String, nullable=False),
        sa.Column("file", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_index("hosted_past_by_project", "hosted_past", ["source", "project"])


def downgrade() -> None:
    op.drop_table("hosted_past")
