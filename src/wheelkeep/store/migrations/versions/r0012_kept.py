"""Which blobs were ever kept: what is among them and not on the disk is missing."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "kept_blobs",
        sa.Column("sha256", sa.String, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("kept_blobs")
