"""Trusted publishing: which tokens it made, and for which identities, so that none is taken twice."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "identities",
        sa.Column("sha256", sa.LargeBinary, primary_key=True),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.add_column("tokens", sa.Column("minted", sa.Integer, nullable=False, server_default="0"))
    _index("revoked IS NULL AND minted = 0")


def downgrade() -> None:
    # Of several tokens with one name only one could stay.
    op.execute("DELETE FROM tokens WHERE minted = 1")
    _index("revoked IS NULL")
    op.drop_column("tokens", "minted")
    op.drop_table("identities")


def _index(where: str) -> None:
    op.drop_index("tokens_by_name", "tokens")
    op.create_index("tokens_by_name", "tokens", ["name"], unique=True, sqlite_where=sa.text(where))
