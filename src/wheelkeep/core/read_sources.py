"""The ``[sources.NAME]`` tables: which keys each kind of source has, and what they mean."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from wheelkeep.core import names, places, rules
from wheelkeep.core.buckets import Bucket, is_bucket, read_bucket
from wheelkeep.core.errors import InvalidName
from wheelkeep.core.names import SourceName
from wheelkeep.core.read_publishers import read_publishers, refuse_shared_titles
from wheelkeep.core.settings import DirectorySource, HostedSource, Offer, RemoteSource, SourceSettings
from wheelkeep.core.surroundings import Surroundings
from wheelkeep.core.toml_source import Document, Table

_KINDS = ("hosted", "directory", "remote")
_KEYS = {
    "hosted": ("publishers",),
    "directory": ("path",),
    "remote": ("url", "username", "password", "files", "fresh"),
}
_FRESH = timedelta(minutes=10)


def read_sources(
    table: Table, around: Surroundings, elsewhere: dict[str, str]
) -> dict[SourceName, SourceSettings]:
    """Every source in written order; mistakes are noted in the document. ``elsewhere``: see ``Table.done``.

    A source with mistakes is there all the same, so that what refers to it is not called unknown.
    """
    sources: dict[SourceName, SourceSettings] = {}
    for key, entry in table.entries():
        try:
            name = names.source(key)
        except InvalidName as error:
            table.wrong(key, str(error))
            name = SourceName(key)
        sources[name] = _read_source(name, entry, around, elsewhere)
    _refuse_shared_names(table.document, sources)
    hosted = [source for source in sources.values() if isinstance(source, HostedSource)]
    refuse_shared_titles(
        [(at, one) for source in hosted for at, one in enumerate(source.publishers)], table.document
    )
    return sources


def _read_source(
    name: SourceName, table: Table, around: Surroundings, elsewhere: dict[str, str]
) -> SourceSettings:
    table.need("kind", 'write kind = "hosted", "directory" or "remote"')
    kind = table.choice("kind", _KINDS, default="")
    reserved = table.each("names", rules.read_glob) or ()
    offer = _read_offer(table)
    readers: dict[str, Callable[[], SourceSettings]] = {
        "hosted": lambda: HostedSource(
            name=name, names=reserved, offer=offer, publishers=read_publishers(table, name)
        ),
        "directory": lambda: _read_directory(name, table, around, reserved, offer),
        "remote": lambda: _read_remote(name, table, around, reserved, offer),
    }
    if kind not in readers:  # without a kind nobody can say which of the other keys belong here
        return HostedSource(name=name, names=reserved, offer=offer)
    source = readers[kind]()
    table.done({**elsewhere, **_keys_of_others(kind)})
    return source


def _read_offer(table: Table) -> Offer:
    include = table.each("include", _read_limit)
    exclude = table.each("exclude", _read_limit) or ()
    return Offer(include=include, exclude=exclude)


def _read_limit(text: str) -> str:
    """One entry of include or exclude, as written; ``rules.read_rule(…, globs=True)`` reads it again."""
    return rules.read_rule(text, globs=True).text


def _read_directory(
    name: SourceName, table: Table, around: Surroundings, reserved: tuple[str, ...], offer: Offer
) -> DirectorySource:
    table.need("path", 'write the folder of wheels and sdists, such as path = "/srv/wheelhouse"')

    def read_path(text: str) -> Path | Bucket:
        return read_bucket(text) if is_bucket(text) else around.path(text)

    path = table.parsed("path", read_path) or around.base
    return DirectorySource(name=name, path=path, names=reserved, offer=offer)


def _read_remote(
    name: SourceName, table: Table, around: Surroundings, reserved: tuple[str, ...], offer: Offer
) -> RemoteSource:
    table.need(
        "url", 'write the index\'s address, such as "https://packages.acme.example/simple/", or "pypi"'
    )

    def read_url(text: str) -> str:
        return around.pypi_url.rstrip("/") + "/" if text == "pypi" else places.read_remote_url(text)

    url = table.parsed("url", read_url) or ""
    files = table.each("files", places.read_origin) or ()
    if places.in_the_clear(url):
        table.warn("url", "is plain http: whoever sits on the way can change what is installed; use https")
    if any(places.in_the_clear(origin) for origin in files):
        table.warn(
            "files", "holds a plain http origin: whoever sits on the way can change its files; use https"
        )
    return RemoteSource(
        name=name,
        url=url,
        username=table.parsed("username", _read_username),
        password=around.credential(table, "password"),
        files=files,
        fresh=table.duration("fresh") or _FRESH,
        names=reserved,
        offer=offer,
    )


def _read_username(text: str) -> str:
    if ":" in text or not text.isprintable():
        raise ValueError("must not hold a colon or a control character (RFC 7617)")
    return text


def _keys_of_others(kind: str) -> dict[str, str]:
    others = ((key, other) for other, keys in _KEYS.items() if other != kind for key in keys)
    return {key: f'is a key of a {other} source, and this one is kind = "{kind}"' for key, other in others}


def _refuse_shared_names(document: Document, sources: dict[SourceName, SourceSettings]) -> None:
    """A name can belong to one source only; globs that merely overlap are settled by an index's order."""
    owners: dict[str, SourceName] = {}
    for source in sources.values():
        for at, glob in enumerate(source.names):
            owner = owners.setdefault(glob, source.name)
            if owner != source.name:
                says = f'"{glob}" is already reserved for the source "{owner}": a name belongs to one source'
                document.wrong(("sources", source.name, "names", at), says)
