"""The transparency log's entries. What was seen before is added when the log begins."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "leaves",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Integer, nullable=False),
        *(sa.Column(name, sa.String, nullable=False) for name in ("source", "project", "filename")),
        *(sa.Column(name, sa.LargeBinary, nullable=False) for name in ("sha256", "salt")),
        sa.Column("heads", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("leaves_by_filename", "leaves", ["filename"])


def downgrade() -> None:
    op.drop_table("leaves")
