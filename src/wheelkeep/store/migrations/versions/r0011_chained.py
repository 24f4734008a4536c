"""The ledger's rows are chained, those that are there as well."""

import sqlalchemy as sa
from alembic import op

from wheelkeep.core.chain import BEGIN, link

revision = "0011"
down_revision = "0010"
_AT_ONCE = 1_000


def upgrade() -> None:
    op.add_column("ledger", sa.Column("link", sa.LargeBinary))
    names = ("id", "at", "kind", "source", "project", "filename", "detail")
    ledger = sa.table("ledger", *(sa.column(name) for name in names), sa.column("link", sa.LargeBinary))
    connection = op.get_bind()
    number, before = 0, BEGIN
    read = sa.select(*(ledger.c[name] for name in names)).order_by(ledger.c.id).limit(_AT_ONCE)
    write = sa.update(ledger).where(ledger.c.id == sa.bindparam("row")).values(link=sa.bindparam("made"))
    while rows := connection.execute(read.where(ledger.c.id > number)).all():
        made = []
        for row in rows:
            before = link(before, tuple(row))
            made.append({"row": row.id, "made": before})
        connection.execute(write, made)
        number = rows[-1].id


def downgrade() -> None:
    op.drop_column("ledger", "link")
