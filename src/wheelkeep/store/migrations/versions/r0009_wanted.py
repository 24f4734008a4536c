"""What was asked for and blocked, by whom and how often; and what people answered."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "wanted",
        *(
            sa.Column(name, sa.String, primary_key=True)
            for name in ("index_name", "project", "version", "gate", "who")
        ),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("first", sa.Float, nullable=False),
        sa.Column("last", sa.Float, nullable=False),
        sa.Column("free", sa.Float),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("code", "sentence", "filename", "agent")),
    )
    op.create_index("wanted_by_asker", "wanted", ["index_name", "who", "count", "last"])
    op.create_index("wanted_by_count", "wanted", ["index_name", "count", "last"])
    op.create_table(
        "answers",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        *(sa.Column(name, sa.String, nullable=False) for name in ("index_name", "requirement", "gate")),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("given", sa.Float, nullable=False),
        sa.Column("until", sa.String),
        sa.UniqueConstraint("index_name", "requirement", "gate"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("answers")
    op.drop_table("wanted")
