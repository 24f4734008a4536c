"""``wheelkeep.toml`` to Settings: every mistake at once, each with its line.

The tables of sources and of indexes live in read_sources and read_indexes, what is to come in available.
"""

import re
from collections.abc import Callable
from pathlib import Path

from msgspec import structs

from wheelkeep.core import places
from wheelkeep.core.available import unavailable_settings, warn_of_experiments
from wheelkeep.core.buckets import read_bucket
from wheelkeep.core.names import IndexName, SourceName
from wheelkeep.core.notes import COSIGNED, PublicKey, read_key
from wheelkeep.core.read_alerts import read_alerts
from wheelkeep.core.read_indexes import read_indexes
from wheelkeep.core.read_scrub import read_scrub
from wheelkeep.core.read_sources import read_sources
from wheelkeep.core.settings import (
    HostedSource,
    IndexSettings,
    RemoteSource,
    S3Settings,
    Settings,
    SourceSettings,
)
from wheelkeep.core.surroundings import Surroundings
from wheelkeep.core.toml_source import Document, Table

_LOCAL, _PYPI, _MAIN = SourceName("local"), SourceName("pypi"), IndexName("main")
_HOST, _PORT = "127.0.0.1", 8080
_DATA = "wheelkeep-data"
_PUBLIC = "public"
"""Stands for Sigstore's public instance among the trust roots."""
_ROOT_KEYS = ("data", "listen", "public_url", "database", "store", "workers", "trust_roots", "experimental")
# The classic slip in TOML: a key written below a table's header belongs to that table.
_BELONGS_AT_THE_TOP = dict.fromkeys(
    _ROOT_KEYS, "is a key of the whole file: write it above the first [table]"
)
_DATABASE = re.compile(r"postgres(?:ql)?://[!-~]+", re.ASCII)
_REGION = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)


def read_settings(
    text: str, *, file: str, base: Path, secret: Callable[[str], str], pypi_url: str
) -> Settings:
    """Reads a configuration file's text.

    ``file`` is its name in mistakes, ``base`` its folder (absolute), ``secret`` gives the value behind
    ``env:NAME`` or ``file:/absolute/path`` and may raise KeyError, OSError or ValueError, ``pypi_url`` is
    what the word ``pypi`` means. Raises ConfigError with every mistake; what is merely unwise is in
    ``Settings.warnings``.
    """
    document = Document(text, file=file)
    root = document.root
    around = Surroundings(base=base, secret=secret, pypi_url=pypi_url)
    host, port = root.parsed("listen", places.read_listen) or (_HOST, _PORT)
    sources = _sources(root, around)
    public_url = root.parsed("public_url", places.read_public_url)
    settings = Settings(
        data=root.parsed("data", around.path) or base / _DATA,
        host=host,
        port=port,
        public_url=public_url,
        audience=_read_audience(root, public_url),
        database=root.parsed("database", _read_database) or "sqlite",
        store=root.parsed("store", _read_store) or "local",
        s3=_read_s3(root, around),
        workers=root.integer("workers", least=1, most=64) or 1,
        trust_roots=_read_trust_roots(root, around),
        experimental=root.texts("experimental") or (),
        witnesses=_read_witnesses(root),
        scrub=read_scrub(root, _BELONGS_AT_THE_TOP),
        alerts=read_alerts(root, around, _BELONGS_AT_THE_TOP),
        sources=sources,
        indexes=_indexes(root, sources, around),
        origin=base / Path(file).name,
    )
    root.done()
    if settings.publishers and "public_url" not in root:
        # PEP 807 tells whole addresses, and what a client sends as Host is nothing to make them of.
        root.document.wrong(
            ("sources", settings.publishers[0].source, "publishers"),
            'needs public_url at the top, such as public_url = "https://packages.acme.example"',
        )
    document.settle()
    document.settle(unavailable_settings(settings, document))
    if (says := exposure(host, settings)) is not None:
        root.warn("listen", says)
    warn_of_experiments(settings, document)
    warnings = sorted(document.warnings, key=lambda warning: warning.line or 0)
    return structs.replace(settings, warnings=tuple(str(warning) for warning in warnings))


def default_settings(*, base: Path, pypi_url: str) -> Settings:
    """What holds without a configuration file: one index, our own uploads before the public index."""
    sources = _built_in_sources(pypi_url)
    return Settings(data=base / _DATA, host=_HOST, port=_PORT, sources=sources, indexes=_one_index(sources))


def exposure(host: str, settings: Settings) -> str | None:
    """Why listening on ``host`` deserves a warning, or None; also for a host that the command line gives."""
    readable = [index.name for index in settings.indexes.values() if index.read == "anyone"]
    if places.is_loopback(host) or not readable:
        return None
    shown = ", ".join(readable[:5]) + (", …" if len(readable) > 5 else "")
    return f"is open to other machines, and whoever reaches {host} may read {shown} without a token"


def _sources(root: Table, around: Surroundings) -> dict[SourceName, SourceSettings]:
    written = root.table("sources")
    if written is None or not written.keys:
        return _built_in_sources(around.pypi_url)
    return read_sources(written, around, _BELONGS_AT_THE_TOP)


def _indexes(
    root: Table, sources: dict[SourceName, SourceSettings], around: Surroundings
) -> dict[IndexName, IndexSettings]:
    written = root.table("indexes")
    if written is None or not written.keys:
        return _one_index(sources)
    return read_indexes(written, sources, around, _BELONGS_AT_THE_TOP)


def _built_in_sources(pypi_url: str) -> dict[SourceName, SourceSettings]:
    return {
        _LOCAL: HostedSource(name=_LOCAL),
        _PYPI: RemoteSource(name=_PYPI, url=pypi_url.rstrip("/") + "/"),
    }


def _one_index(sources: dict[SourceName, SourceSettings]) -> dict[IndexName, IndexSettings]:
    """The index where none is written: all sources, as written; uploads go to the hosted one, if any."""
    hosted = [source.name for source in sources.values() if isinstance(source, HostedSource)]
    publish = hosted[0] if len(hosted) == 1 else None
    return {_MAIN: IndexSettings(name=_MAIN, sources=tuple((name,) for name in sources), publish=publish)}


def _read_audience(root: Table, public_url: str | None) -> str | None:
    """Whom identity tokens must be made for: this keep and no other, or one's tokens would do for both."""
    table = root.table("trusted_publishing")
    written = table.parsed("audience", _audience) if table is not None else None
    if table is not None:
        if written == "pypi":
            table.warn(
                "audience", "is the public index's: a token that one of you is sent would do for the other"
            )
        table.done(_BELONGS_AT_THE_TOP)
    return written or (public_url.partition("://")[2] if public_url is not None else None)


def _audience(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text or len(text) > 200:
        raise ValueError("must be one word of at most 200 ASCII characters")
    return text


def _read_trust_roots(root: Table, around: Surroundings) -> tuple[Path | None, ...]:
    read = root.each("trust_roots", lambda text: text if text == _PUBLIC else around.path(text))
    if read == () and not root.elements("trust_roots"):
        root.wrong("trust_roots", "is empty, so nothing could be verified: name a trust root or take it out")
    return tuple(one if isinstance(one, Path) else None for one in read or (_PUBLIC,))


def _read_witnesses(root: Table) -> tuple[PublicKey, ...]:
    table = root.table("log")
    if table is None:
        return ()
    found = table.each("witnesses", _read_witness) or ()
    table.done(_BELONGS_AT_THE_TOP)
    return found


def _read_witness(text: str) -> PublicKey:
    key = read_key(text)
    if key.kind != COSIGNED:
        raise ValueError("is the key of a log: write the one that wheelkeep log witness prints there")
    return key


def _read_s3(root: Table, around: Surroundings) -> S3Settings:
    table = root.table("s3")
    if table is None:
        return S3Settings()
    keys = {key: around.credential(table, key) for key in ("access_key", "secret_key")}
    for key, other in (("access_key", "secret_key"), ("secret_key", "access_key")):
        if keys[key] is not None and other not in table:
            table.wrong(key, f"is of no use without {other}: write both, or neither")
    endpoint = table.parsed("endpoint", places.read_public_url)
    if endpoint is not None and places.in_the_clear(endpoint):
        table.warn(
            "endpoint", "is plain http: whoever sits on the way can read and change all of it; use https"
        )
    settings = S3Settings(
        endpoint=endpoint,
        region=table.parsed("region", _read_region),
        **keys,
    )
    table.done(_BELONGS_AT_THE_TOP)
    return settings


# None of these repeats what was written: a database's address may hold a password.


def _read_database(text: str) -> str:
    if text != "sqlite" and not _DATABASE.fullmatch(text):
        raise ValueError('must be "sqlite" or "postgresql://user@host/name"')
    return text


def _read_store(text: str) -> str:
    if text != "local":
        try:
            read_bucket(text)
        except ValueError:
            raise ValueError('must be "local" or "s3://bucket/prefix"') from None
    return text


def _read_region(text: str) -> str:
    if not _REGION.fullmatch(text):
        raise ValueError('must be a region\'s name, such as "eu-central-1"')
    return text
