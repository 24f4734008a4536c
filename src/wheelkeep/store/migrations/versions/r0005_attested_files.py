"""What verifying the attestations of files came to."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "attested_files",
        sa.Column("source", sa.String, primary_key=True),
        sa.Column("filename", sa.String, primary_key=True),
        sa.Column("project", sa.String, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("fact", sa.Text, nullable=False),
        sa.Column("came", sa.Float),
        sa.Column("roots", sa.String, nullable=False),
        sa.Column("checked", sa.Float, nullable=False),
    )
    op.create_index("attested_by_project", "attested_files", ["source", "project"])


def downgrade() -> None:
    op.drop_table("attested_files")
