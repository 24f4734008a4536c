"""Settings to a running app: the only module that names every concrete class."""

from collections.abc import Iterable
from pathlib import Path

from wheelkeep import configuration
from wheelkeep.core.buckets import Bucket
from wheelkeep.core.measures import SERIES
from wheelkeep.core.names import SourceName
from wheelkeep.core.offer import Reservations, Selection
from wheelkeep.core.settings import (
    EXPERIMENT,
    DirectorySource,
    HostedSource,
    S3Settings,
    Settings,
    SourceSettings,
)
from wheelkeep.index.advisor import Advisor
from wheelkeep.index.asks import Asks
from wheelkeep.index.attestor import Attestor
from wheelkeep.index.book import Book
from wheelkeep.index.desk import Desk
from wheelkeep.index.gather import Place
from wheelkeep.index.herald import Herald
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Announcer, Keep
from wheelkeep.index.licenser import Licenser
from wheelkeep.index.log_book import LogBook
from wheelkeep.index.mint import Mint
from wheelkeep.index.receive import Receiver
from wheelkeep.index.releases import Steward
from wheelkeep.index.sequencer import Sequencer
from wheelkeep.index.sessions import Stager
from wheelkeep.index.soundness import Soundness
from wheelkeep.index.views import Views
from wheelkeep.sources.bucket_ground import BucketGround
from wheelkeep.sources.client import Client
from wheelkeep.sources.directory import Directory
from wheelkeep.sources.folder_ground import FolderGround
from wheelkeep.sources.ground import Ground
from wheelkeep.sources.hosted import Hosted
from wheelkeep.sources.issuer import Issuer
from wheelkeep.sources.remote import Remote
from wheelkeep.sources.source import Source
from wheelkeep.sources.verifier import Verifier
from wheelkeep.sources.webhook import Webhook
from wheelkeep.store.advisories import Advisories
from wheelkeep.store.answers import AnswerBook
from wheelkeep.store.attested import AttestedFiles
from wheelkeep.store.blobs import Blobs
from wheelkeep.store.builds import Builds
from wheelkeep.store.carriage import Carriage
from wheelkeep.store.changes import Changes
from wheelkeep.store.database import Database
from wheelkeep.store.deliveries import Deliveries
from wheelkeep.store.facts import Facts
from wheelkeep.store.fetches import Fetches
from wheelkeep.store.kept import KeptBlobs
from wheelkeep.store.leaves import Leaves
from wheelkeep.store.ledger import Ledger
from wheelkeep.store.log_files import LogFiles
from wheelkeep.store.minted import MintedTokens
from wheelkeep.store.owners import Owners
from wheelkeep.store.pages import Pages
from wheelkeep.store.prepare import prepare
from wheelkeep.store.releases import Releases
from wheelkeep.store.sessions import Sessions
from wheelkeep.store.shelves import open_shelf
from wheelkeep.store.snapshots import Snapshots
from wheelkeep.store.staged import StagedBytes
from wheelkeep.store.tally import Tally
from wheelkeep.store.tokens import Tokens
from wheelkeep.store.turn import Turn
from wheelkeep.store.uploads import Uploads
from wheelkeep.store.wanted import WantedList


def build(settings: Settings) -> Keep:
    """A keep, not started yet, on the data folder of the settings. Raises ConfigError, WheelkeepError."""
    holders, data = configuration.policies(settings), settings.data
    database, blobs = Database(prepare(data)), Blobs(data)
    pages, facts, ledger, wanted = Pages(database), Facts(database), Ledger(database), WantedList(database)
    changes, fetches, tally = Changes(data), Fetches(data), Tally(data, len(SERIES))
    book, releases = Book(ledger, fetches, tally), Releases(database, ledger, changes)
    announcer = Announcer(Views(releases.removed, Snapshots(database, ledger, changes), blobs.has))
    uploads, soundness = Uploads(database, ledger, changes), Soundness(blobs, book.damaged)
    advisor = Advisor(Advisories(database), blobs=blobs, pages=pages, facts=facts, alert=book.alert)
    sources = _sources(settings, pages, facts, releases, blobs, book, announcer, tally)
    reservations, selections = _offers(settings)
    verifier, licenser = Verifier(settings.trust_roots), Licenser(sources, changed=announcer)
    attestor = Attestor(AttestedFiles(database), verifier, sources, changed=announcer)
    places = {name: Place(source, selections[name]) for name, source in sources.items()}
    indexes = {
        name: Index(
            index,
            [[places[member] for member in group] for group in index.sources],
            reservations=reservations,
            policy=holders[name],
            facts=facts,
            attestor=attestor,
            advisor=advisor,
            licenser=licenser,
        )
        for name, index in settings.indexes.items()
    }
    receiver = _receiver(blobs, soundness, uploads, reservations, selections, verifier, announcer)
    return Keep(
        settings,
        database=database,
        blobs=blobs,
        kept=KeptBlobs(database),
        builds=Builds(database),
        soundness=soundness,
        pages=pages,
        facts=facts,
        ledger=ledger,
        tokens=Tokens(database),
        book=book,
        asks=Asks(wanted),
        desk=Desk(wanted, AnswerBook(database, ledger, changes), indexes),
        fetches=fetches,
        tally=tally,
        announcer=announcer,
        changes=changes,
        receiver=receiver,
        attestor=attestor,
        licenser=licenser,
        steward=_steward(releases, Owners(database, ledger), receiver, indexes.values(), announcer),
        mint=_mint(settings, MintedTokens(database, ledger)),
        advisor=advisor,
        stager=_stager(settings, Sessions(database, ledger, changes), blobs, uploads, receiver, announcer),
        herald=_herald(settings, ledger, Deliveries(database), tally),
        log_book=_log_book(settings, database, ledger, fetches, pages, facts),
        carriage=Carriage(database, ledger, pages, changes),
        sources=sources,
        indexes=indexes,
    )


def _offers(settings: Settings) -> tuple[Reservations, dict[SourceName, Selection]]:
    """Which names belong to which source, and what each may offer."""
    sources = settings.sources.items()
    return Reservations([(name, source.names) for name, source in sources]), {
        name: Selection(source.offer.include, source.offer.exclude) for name, source in sources
    }


def _receiver(
    blobs: Blobs,
    soundness: Soundness,
    uploads: Uploads,
    reservations: Reservations,
    selections: dict[SourceName, Selection],
    verifier: Verifier,
    announcer: Announcer,
) -> Receiver:
    return Receiver(
        blobs=blobs,
        soundness=soundness,
        uploads=uploads,
        reservations=reservations,
        selections=selections,
        verifier=verifier,
        changed=announcer,
    )


def _steward(
    releases: Releases, owners: Owners, receiver: Receiver, indexes: Iterable[Index], announcer: Announcer
) -> Steward:
    return Steward(
        releases=releases, owners=owners, receiver=receiver, indexes=tuple(indexes), changed=announcer
    )


def _stager(
    settings: Settings,
    sessions: Sessions,
    blobs: Blobs,
    uploads: Uploads,
    receiver: Receiver,
    announcer: Announcer,
) -> Stager | None:
    if EXPERIMENT not in settings.experimental:
        return None
    return Stager(
        sessions=sessions,
        staged=StagedBytes(settings.data),
        blobs=blobs,
        uploads=uploads,
        receiver=receiver,
        changed=announcer,
    )


def _mint(settings: Settings, minted: MintedTokens) -> Mint | None:
    publishers = settings.publishers
    if not publishers or settings.audience is None:
        return None
    issuers = {publisher.issuer: Issuer(publisher.issuer) for publisher in publishers}
    return Mint(publishers, audience=settings.audience, issuers=issuers, minted=minted)


def _log_book(
    settings: Settings, database: Database, ledger: Ledger, fetches: Fetches, pages: Pages, facts: Facts
) -> LogBook:
    leaves, files = Leaves(database), LogFiles(settings.data)
    sequencer = Sequencer(
        leaves,
        files,
        ledger=ledger,
        fetches=fetches,
        pages=pages,
        facts=facts,
        turn=Turn(settings.data / "log.lock"),
        public_url=settings.public_url,
    )
    return LogBook(leaves, files, sequencer)


def _herald(settings: Settings, ledger: Ledger, deliveries: Deliveries, tally: Tally) -> Herald | None:
    if settings.alerts is None:
        return None
    return Herald(
        Webhook(settings.alerts),
        ledger=ledger,
        deliveries=deliveries,
        turn=Turn(settings.data / "alerts.lock"),
        keep=settings.public_url,
        count=tally.add,
    )


def _sources(
    settings: Settings,
    pages: Pages,
    facts: Facts,
    releases: Releases,
    blobs: Blobs,
    book: Book,
    announcer: Announcer,
    tally: Tally,
) -> dict[SourceName, Source]:
    return {
        name: _source(source, settings.s3, pages, facts, releases, blobs, book, announcer, tally)
        for name, source in settings.sources.items()
    }


def _source(
    source: SourceSettings,
    s3: S3Settings,
    pages: Pages,
    facts: Facts,
    releases: Releases,
    blobs: Blobs,
    book: Book,
    announcer: Announcer,
    tally: Tally,
) -> Source:
    if isinstance(source, HostedSource):
        return Hosted(source.name, facts, releases)
    if isinstance(source, DirectorySource):
        return Directory(
            source.name,
            _ground(source.path, s3, blobs),
            facts=facts,
            pages=pages,
            changed=announcer,
            incident=book.incident,
        )
    return Remote(
        source.name,
        url=source.url,
        fresh=source.fresh,
        client=Client(
            url=source.url,
            files=source.files,
            username=source.username,
            password=source.password,
            count=tally.add,
        ),
        pages=pages,
        facts=facts,
        blobs=blobs,
        changed=announcer,
        incident=book.incident,
        left=book.left,
    )


def _ground(place: Path | Bucket, s3: S3Settings, blobs: Blobs) -> Ground:
    if isinstance(place, Path):
        return FolderGround(place)
    return BucketGround(lambda: open_shelf(place, s3), blobs)
