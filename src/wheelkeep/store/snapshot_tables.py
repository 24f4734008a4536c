"""The tables of snapshots."""

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, String, Table, Text

from wheelkeep.store.tables import metadata

snapshots = Table(
    "snapshots",
    metadata,
    Column("name", String, primary_key=True),
    Column("number", Integer, primary_key=True),  # from 1 on; never given twice to one name
    Column("index_name", String, nullable=False),
    Column("kind", String, nullable=False),  # core.snapshot.Kind
    Column("at", Float, nullable=False),
    Column("by", Text, nullable=False),
    Column("projects", Integer, nullable=False),
    Column("files", Integer, nullable=False),
    Column("here", Integer, nullable=False),  # files whose bytes lay here when it was made
    Column("deleted", Float),
)

snapshot_pages = Table(
    "snapshot_pages",
    metadata,
    Column("name", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("project", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),  # a sha256 of snapshot_bodies
    Index("snapshot_pages_by_body", "body"),
)

snapshot_bodies = Table(
    "snapshot_bodies",
    metadata,
    Column("sha256", LargeBinary, primary_key=True),  # of the body before it was packed
    Column("body", LargeBinary, nullable=False),  # zstd of msgpack of core.snapshot.Pinned
)
