"""What is said of hosted projects as a whole: their status, and whether their name was given up."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "hosted_projects",
        sa.Column("source", sa.String, primary_key=True),
        sa.Column("project", sa.String, primary_key=True),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("freed", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("hosted_projects")
