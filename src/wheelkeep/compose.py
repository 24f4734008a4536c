"""Settings to a running app: the only module that names every concrete class."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec.structs import replace

from wheelkeep.core.errors import ConfigError, Mistake
from wheelkeep.core.names import IndexName, SourceName
from wheelkeep.core.offer import Reservations, Selection
from wheelkeep.core.read_settings import default_settings, read_settings
from wheelkeep.core.settings import DirectorySource, HostedSource, RemoteSource, Settings, SourceSettings
from wheelkeep.index.gather import Place
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Announcer, Book, Keep
from wheelkeep.index.policies import PolicyHolder
from wheelkeep.sources.client import Client
from wheelkeep.sources.directory import Directory
from wheelkeep.sources.hosted import Hosted
from wheelkeep.sources.remote import Remote
from wheelkeep.sources.source import Source
from wheelkeep.store.blobs import Blobs
from wheelkeep.store.database import Database, prepare
from wheelkeep.store.facts import Facts
from wheelkeep.store.ledger import Ledger
from wheelkeep.store.pages import Pages

CONFIG_VARIABLE = "WHEELKEEP_CONFIG"
LISTEN_VARIABLE = "WHEELKEEP_LISTENING"
"""How ``serve`` tells its workers where they listen: host and port with a space between."""


def pypi_url() -> str:
    """The Simple API of the public index, from the constant that a library keeps of its address."""
    from distlib.index import DEFAULT_INDEX  # noqa: PLC0415 - only where the word "pypi" is used

    parts = urlsplit(DEFAULT_INDEX)
    return f"{parts.scheme}://{parts.netloc}/simple/"


def load(path: Path | None) -> Settings:
    """The configuration: of ``path``, else of $WHEELKEEP_CONFIG, else of ./wheelkeep.toml, else the built-in one.

    Raises ConfigError.
    """
    if path is None and (named := os.environ.get(CONFIG_VARIABLE)):
        path = Path(named)
    if path is None:
        path = Path("wheelkeep.toml")
        if not path.exists():
            return default_settings(base=Path.cwd(), pypi_url=pypi_url())
    path = path.absolute()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            [Mistake(str(path), None, "", f"the configuration cannot be read: {error}")]
        ) from None
    return read_settings(text, file=str(path), base=path.parent, secret=_secret, pypi_url=pypi_url())


def _secret(reference: str) -> str:
    """The value behind ``env:NAME`` or ``file:PATH``; raises KeyError, OSError or ValueError."""
    kind, _, rest = reference.partition(":")
    if kind == "env":
        return os.environ[rest]
    if kind == "file":
        return Path(rest).expanduser().read_text(encoding="utf-8").strip()
    raise ValueError(reference)


def policies(settings: Settings) -> dict[IndexName, PolicyHolder]:
    """Every index's policy, read; raises ConfigError with the mistakes of all of them."""
    kinds = {name: isinstance(source, RemoteSource) for name, source in settings.sources.items()}
    found: dict[IndexName, PolicyHolder] = {}
    mistakes: list[Mistake] = []
    for name, index in settings.indexes.items():
        try:
            found[name] = PolicyHolder(index.policy, kinds)
        except ConfigError as error:
            mistakes += [mistake for mistake in error.mistakes if mistake not in mistakes]
    if mistakes:
        raise ConfigError(mistakes)
    return found


def build(settings: Settings) -> Keep:
    """A keep, not started yet, on the data folder of the settings. Raises ConfigError, WheelkeepError."""
    holders = policies(settings)
    database = Database(prepare(settings.data))
    blobs, pages, facts = Blobs(settings.data), Pages(database), Facts(database)
    ledger = Ledger(database)
    book, announcer = Book(ledger), Announcer()
    sources: dict[SourceName, Source] = {
        name: _source(source, pages, facts, blobs, book, announcer)
        for name, source in settings.sources.items()
    }
    reservations = Reservations([(name, source.names) for name, source in settings.sources.items()])
    selections = {
        name: Selection(source.offer.include, source.offer.exclude)
        for name, source in settings.sources.items()
    }
    indexes = {
        name: Index(
            index,
            [[Place(sources[member], selections[member]) for member in group] for group in index.sources],
            reservations=reservations,
            policy=holders[name],
            facts=facts,
        )
        for name, index in settings.indexes.items()
    }
    return Keep(
        settings,
        database=database,
        blobs=blobs,
        pages=pages,
        facts=facts,
        ledger=ledger,
        book=book,
        announcer=announcer,
        sources=sources,
        indexes=indexes,
    )


def _source(
    source: SourceSettings, pages: Pages, facts: Facts, blobs: Blobs, book: Book, announcer: Announcer
) -> Source:
    if isinstance(source, HostedSource):
        return Hosted(source.name, facts)
    if isinstance(source, DirectorySource):
        return Directory(
            source.name, source.path, facts=facts, pages=pages, changed=announcer, incident=book.incident
        )
    return Remote(
        source.name,
        url=source.url,
        fresh=source.fresh,
        client=Client(url=source.url, files=source.files, username=source.username, password=source.password),
        pages=pages,
        facts=facts,
        blobs=blobs,
        changed=announcer,
        incident=book.incident,
    )


def asgi() -> Any:
    """The web face, made in a worker process of the server from what ``serve`` put into the environment."""
    from wheelkeep.logs import configure  # noqa: PLC0415
    from wheelkeep.web.app import App  # noqa: PLC0415 - commands that do not serve need none of it

    configure()
    settings = load(None)
    if listening := os.environ.get(LISTEN_VARIABLE):
        host, port = listening.split(" ")
        settings = replace(settings, host=host, port=int(port))
    return App(build(settings))
