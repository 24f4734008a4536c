"""The tables, as SQLAlchemy Core knows them. Migrations make them; nothing but store/ reads or writes them."""

from sqlalchemy import (
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

pages = Table(
    "pages",
    metadata,
    Column("source", String, primary_key=True),
    Column("project", String, primary_key=True),
    Column(
        "body", LargeBinary
    ),  # zstd of msgpack of model.Page; NULL: the source said that it does not have the name
    Column("etag", Text),
    Column("checked", Float, nullable=False),  # seconds since the epoch of the last answer
)

origin_documents = Table(
    "origin_documents",
    metadata,
    Column("source", String, primary_key=True),
    Column(
        "kind", String, primary_key=True
    ),  # "names": the root list; "json": legacy JSON of a project; "provenance"
    Column("key", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),  # zstd
    Column("checked", Float, nullable=False),
    Column("etag", Text),
)

wheel_metadata = Table(
    "wheel_metadata",
    metadata,
    Column("source", String, primary_key=True),
    Column("filename", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("sha256", String, nullable=False),  # of the metadata; empty: the wheel has none that can be read
    Column("own", Integer, nullable=False),  # 1: read from the file's own verified bytes
    Column("body", LargeBinary, nullable=False),  # zstd
    Index("wheel_metadata_by_project", "source", "project"),
)

directory_files = Table(
    "directory_files",
    metadata,
    Column("source", String, primary_key=True),
    Column("path", String, primary_key=True),  # relative to the folder
    Column("stamp", String, nullable=False),  # size, mtime and inode: while they stand, so does the hash
    Column("file", LargeBinary, nullable=False),  # msgpack of model.File
)

kept_blobs = Table(
    "kept_blobs",  # every blob that came whole, until it is removed on purpose; a moment after it came
    metadata,
    Column("sha256", String, primary_key=True),
    Column("at", Float, nullable=False),
)

hosted_files = Table(
    "hosted_files",
    metadata,
    Column("source", String, primary_key=True),
    Column("filename", String, primary_key=True),
    Column("project", String, nullable=False),
    Column(
        "file", LargeBinary
    ),  # msgpack of model.File; NULL: the name was used once and is never free again
    Index("hosted_by_project", "source", "project"),
)

hosted_past = Table(
    "hosted_past",  # files that were removed or moved away, as they were then
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", String, nullable=False),
    Column("project", String, nullable=False),
    Column("file", LargeBinary, nullable=False),  # msgpack of model.File
    Column("at", Float, nullable=False),
    Index("hosted_past_by_project", "source", "project"),
)

hosted_projects = Table(
    "hosted_projects",  # a project without a row is active and keeps its name
    metadata,
    Column("source", String, primary_key=True),
    Column("project", String, primary_key=True),
    Column("status", String, nullable=False),  # a word of PEP 792
    Column("reason", Text),
    Column("freed", Integer, nullable=False),  # 1: without a file, the name is the source's no longer
)

attested_files = Table(
    "attested_files",
    metadata,
    Column("source", String, primary_key=True),
    Column("filename", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("version", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("fact", Text, nullable=False),  # JSON of attested.Fact
    Column("came", Float),
    Column("roots", String, nullable=False),  # digest of the trust roots
    Column("checked", Float, nullable=False),
    Index("attested_by_project", "source", "project"),
)

hosted_owners = Table(
    "hosted_owners",  # a project without a row belongs to whoever may publish it
    metadata,
    Column("source", String, primary_key=True),
    Column("project", String, primary_key=True),
    Column("name", String, primary_key=True),
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("kind", String, nullable=False),
    Column("source", String),
    Column("project", String),
    Column("filename", String),
    Column("detail", Text, nullable=False),  # JSON
    Column("link", LargeBinary),  # to the row before it: core/chain
    Index("ledger_by_kind", "kind", "id"),
    Index("ledger_by_project", "project", "id"),
    sqlite_autoincrement=True,
)

leaves = Table(
    "leaves",  # the transparency log's entries, in its order: of the first the number is 1, the leaf's index 0
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Integer, nullable=False),  # microseconds since the epoch
    Column("source", String, nullable=False),  # empty, as the next three, where it tells of the books' heads
    Column("project", String, nullable=False),
    Column("filename", String, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("heads", Text),  # JSON: number and link, in hex, of the ledger and of the book of fetches
    Index("leaves_by_filename", "filename"),
    sqlite_autoincrement=True,
)

advisory_records = Table(
    "advisory_records",  # one a record of the dumps, withdrawn ones too: an older dump must not bring them back
    metadata,
    Column("id", String, primary_key=True),
    Column("modified", Float, nullable=False),
    Column("mark", String, nullable=False),  # of what was read of it: while it stands, nothing is written
)

advisories = Table(
    "advisories",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),  # msgpack of advisory.Advisory
    Index("advisories_by_project", "project"),
)

advisory_dumps = Table(
    "advisory_dumps",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("name", Text, nullable=False),
    Column(
        "whole", Integer, nullable=False
    ),  # 1: all of an ecosystem, so that what is not in it is not known
    Column("records", Integer, nullable=False),
)

advisory_alerts = Table(
    "advisory_alerts",  # told once each
    metadata,
    Column("source", String, primary_key=True),
    Column("filename", String, primary_key=True),
    Column("advisory", String, primary_key=True),
    Column("at", Float, nullable=False),
)

source_health = Table(
    "source_health",
    metadata,
    Column("source", String, primary_key=True),
    Column("answered", Float),
    Column("failed", Float),
    Column("reason", Text),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String, primary_key=True),  # the public part of the token's text
    Column("name", String, nullable=False),
    Column("sha256", LargeBinary, nullable=False),  # of the whole text, which itself is nowhere
    Column("scopes", Text, nullable=False),  # JSON: a list of texts
    Column("created", Float, nullable=False),
    Column("expires", Float),
    Column("revoked", Float),
    Column("last_used", Float),
    Column("minted", Integer, nullable=False, server_default="0"),  # 1: by trusted publishing
    # A revoked token leaves its name to the next one; a publisher's tokens share theirs.
    Index("tokens_by_name", "name", unique=True, sqlite_where=text("revoked IS NULL AND minted = 0")),
)

identities = Table(
    "identities",  # that a token was minted for: none is taken twice
    metadata,
    Column("sha256", LargeBinary, primary_key=True),
    Column("until", Float, nullable=False),  # when it is not good any more by itself
)

upload_sessions = Table(
    "upload_sessions",
    metadata,
    Column("id", String, primary_key=True),  # no secret
    Column("token", String, nullable=False, unique=True),  # the secret in the address of the preview
    Column("index", String, nullable=False),
    Column("source", String, nullable=False),
    Column("project", String, nullable=False),
    Column("version", String, nullable=False),
    Column("creator", String, nullable=False),  # the name of the API token that made it
    Column("state", String, nullable=False),  # core.sessions.SessionState
    Column("notice", Text),
    Column("created", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("ended", Float),
    # One at a time for a release: it is the database that keeps two workers from making two.
    Index(
        "open_upload_sessions",
        "source",
        "project",
        "version",
        unique=True,
        sqlite_where=text("state = 'open'"),
    ),
)

upload_session_files = Table(
    "upload_session_files",
    metadata,
    Column("id", String, primary_key=True),
    Column("session", String, nullable=False),
    Column("filename", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("hashes", Text, nullable=False),  # JSON
    Column("state", String, nullable=False),  # core.sessions.FileState
    Column("notice", Text),
    Column("bytes", String),  # the name under which they lie in DATA/staged/SESSION; NULL: none came yet
    Column("sha256", String),
    Column("attestations", Text),  # as they were given
    Column("file", LargeBinary),  # msgpack of model.File once completed
    Column("described", LargeBinary),  # zstd of the metadata of a wheel
    Column("provenance", LargeBinary),  # zstd
    Column("attested", Text),  # who signed, for the ledger
    Index("upload_session_files_by_session", "session"),
)

wanted = Table(
    "wanted",  # what was asked for and blocked; an empty project stands for asks that are not told apart
    metadata,
    Column("index_name", String, primary_key=True),
    Column("project", String, primary_key=True),
    Column("version", String, primary_key=True),  # empty: the name
    Column("gate", String, primary_key=True),
    Column("who", String, primary_key=True),  # "token NAME", "address IP", or empty
    Column("count", Integer, nullable=False),
    Column("first", Float, nullable=False),
    Column("last", Float, nullable=False),
    Column("free", Float),  # when the block ends by itself
    Column("code", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Index("wanted_by_asker", "index_name", "who", "count", "last"),
    Index("wanted_by_count", "index_name", "count", "last"),
)

answers = Table(
    "answers",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("index_name", String, nullable=False),
    Column("requirement", String, nullable=False),  # in normal form
    Column("gate", String, nullable=False),  # that is lifted; empty: refused
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("given", Float, nullable=False),
    Column("until", String),  # the last day, YYYY-MM-DD; NULL: for ever
    UniqueConstraint("index_name", "requirement", "gate"),
    sqlite_autoincrement=True,
)

webhook = Table(
    "webhook",  # one row, once a server with a webhook has run
    metadata,
    Column("id", Integer, primary_key=True),  # 1
    Column("done", Integer, nullable=False),  # entries of the ledger up to this number were dealt with
    Column("taken", Float),  # when the receiver last took one
    Column("failing", Float),  # since when it takes none
    Column("tries", Integer, nullable=False),  # in vain, one after the other
    Column("reason", Text),
)

webhook_refused = Table(
    "webhook_refused",  # set aside, so that later ones are not held up, and tried again
    metadata,
    Column("entry", Integer, primary_key=True),  # its number in the ledger
    Column("tries", Integer, nullable=False),
    Column("next", Float, nullable=False),
    Column("reason", Text, nullable=False),
)

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

builds = Table(
    "builds",  # wheels that were built here; one row a build
    metadata,
    Column("id", String, primary_key=True),
    Column("at", Float, nullable=False),
    Column("sdist", String, nullable=False),  # sha256
    Column("python", String, nullable=False),
    Column("platform", String, nullable=False),
    Column("project", String, nullable=False),
    Column("sha256", String, nullable=False),  # of the wheel
    Column("gone", Integer, nullable=False, server_default="0"),  # 1: the wheel was deleted for good
    Column("body", LargeBinary, nullable=False),  # zstd of msgpack of core.built.Built
    Column("envelope", LargeBinary, nullable=False),  # zstd of JSON of core.statement.Envelope
    Index("builds_by_sdist", "sdist"),
    Index("builds_by_wheel", "sha256"),
    Index("builds_by_project", "project"),
)
