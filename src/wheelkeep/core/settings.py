"""What ``wheelkeep.toml`` says, as frozen data. Nothing here opens a file."""

from datetime import timedelta
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from wheelkeep.core.buckets import Bucket
from wheelkeep.core.names import IndexName, SourceName
from wheelkeep.core.notes import PublicKey
from wheelkeep.core.publishers import Publisher

MergeMode = Literal["strict", "floor", "pinned", "unsafe-blend"]
EXPERIMENT = "upload-2.0"
"""The word in ``experimental`` that switches on publishing in sessions."""


class Secret:
    """A credential that never shows itself: not in a repr, a log line, an error or a JSON document."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __reduce__(self) -> tuple[type, tuple[str]]:
        raise TypeError("a secret is not to be written down")


class Offer(Struct, frozen=True):
    """What a source may offer at all: globs on normalised names, or requirements (``torch<2``)."""

    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()


class HostedSource(Struct, frozen=True, kw_only=True):
    """Our own uploads."""

    name: SourceName
    names: tuple[str, ...] = ()
    offer: Offer = Offer()
    publishers: tuple[Publisher, ...] = ()
    """Who may publish here without a token of an operator's."""


class DirectorySource(Struct, frozen=True, kw_only=True):
    """A wheelhouse: a folder of wheels and sdists, or a place in a bucket."""

    name: SourceName
    path: Path | Bucket
    names: tuple[str, ...] = ()
    offer: Offer = Offer()


class RemoteSource(Struct, frozen=True, kw_only=True):
    """Another index; ``url`` ends with a slash and is the base of ``{project}/``."""

    name: SourceName
    url: str
    username: str | None = None
    password: Secret | None = None
    files: tuple[str, ...] = ()
    """Origins (scheme://host[:port]) beside its own to which its file links may lead; empty: public ones over https."""
    fresh: timedelta = timedelta(minutes=10)
    names: tuple[str, ...] = ()
    offer: Offer = Offer()


SourceSettings: TypeAlias = HostedSource | DirectorySource | RemoteSource


class Pin(Struct, frozen=True, kw_only=True):
    """One ``[[indexes.NAME.pin]]`` stanza, by APT's rules."""

    packages: tuple[str, ...] = ()
    source: SourceName | None = None
    version: str | None = None
    priority: int


class IndexSettings(Struct, frozen=True, kw_only=True):
    """One index: groups of sources, the best first, and one policy."""

    name: IndexName
    sources: tuple[tuple[SourceName, ...], ...]
    merge: MergeMode = "strict"
    pins: tuple[Pin, ...] = ()
    policy: Path | None = None
    publish: SourceName | None = None
    read: Literal["anyone", "token"] = "anyone"
    withheld: Literal["yank", "omit"] = "yank"


class ScrubSettings(Struct, frozen=True, kw_only=True):
    """``[scrub]``: how the server reads every stored byte again by and by."""

    every: timedelta | None = timedelta(days=7)
    """The time that one pass through all files takes; None: it is switched off."""
    rate: int = 8_000_000
    """Bytes a second at most."""


class AlertSettings(Struct, frozen=True, kw_only=True):
    """``[alerts]``: who is told when something turns out to be wrong with what is kept."""

    webhook: Secret
    """The absolute http or https URL that alerts are posted to. Many receivers take whoever knows it for entitled."""
    secret: Secret | None = None
    """What posts are signed with."""


class S3Settings(Struct, frozen=True, kw_only=True):
    """How the operator's buckets are reached. What is not said is asked of the usual AWS variables."""

    endpoint: str | None = None
    """An absolute URL without a slash at its end; the bucket's name follows in the path."""
    region: str | None = None
    access_key: Secret | None = None
    secret_key: Secret | None = None
    """There wherever ``access_key`` is."""


class Settings(Struct, frozen=True, kw_only=True):
    """The whole configuration; paths are absolute."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str | None = None
    """Without a trailing slash."""
    audience: str | None = None
    """Whom identity tokens must be made for (their ``aud``); there wherever a publisher is."""
    database: str = "sqlite"
    store: str = "local"
    s3: S3Settings = S3Settings()
    workers: int = 1
    experimental: tuple[str, ...] = ()
    scrub: ScrubSettings = ScrubSettings()
    alerts: AlertSettings | None = None
    """None: nobody is told; alerts are in the ledger, the log and the metrics alone."""
    trust_roots: tuple[Path | None, ...] = (None,)
    """Sigstore trust roots that attestations are held against; None: the public one."""
    witnesses: tuple[PublicKey, ...] = ()
    """Who may cosign the transparency log."""
    sources: dict[SourceName, SourceSettings]
    indexes: dict[IndexName, IndexSettings]
    origin: Path | None = None
    """The file that it was read from; None for the built-in default."""
    warnings: tuple[str, ...] = ()
    """What is allowed but unwise, for ``check`` and the log at start."""

    @property
    def publishers(self) -> tuple[Publisher, ...]:
        """Those of all sources, in written order."""
        hosted = [source for source in self.sources.values() if isinstance(source, HostedSource)]
        return tuple(publisher for source in hosted for publisher in source.publishers)

    @property
    def main(self) -> IndexSettings | None:
        """The index that ``/simple/`` speaks for: the one called ``main``, or the only one."""
        if (named := self.indexes.get(IndexName("main"))) is not None:
            return named
        return next(iter(self.indexes.values())) if len(self.indexes) == 1 else None
