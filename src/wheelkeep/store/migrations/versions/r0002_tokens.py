"""API tokens: hashes, scopes and moments. A name is free again once its token is revoked."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("expires", sa.Float),
        sa.Column("revoked", sa.Float),
        sa.Column("last_used", sa.Float),
    )
    op.create_index(
        "tokens_by_name", "tokens", ["name"], unique=True, sqlite_where=sa.text("revoked IS NULL")
    )


def downgrade() -> None:
    op.drop_table("tokens")
