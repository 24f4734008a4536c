"""Who owns hosted projects; and the ledger's lines about one project are found without reading the others."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "hosted_owners",
        sa.Column("source", sa.String, primary_key=True),
        sa.Column("project", sa.String, primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
    )
    op.create_index("ledger_by_project", "ledger", ["project", "id"])


def downgrade() -> None:
    op.drop_index("ledger_by_project", "ledger")
    op.drop_table("hosted_owners")
