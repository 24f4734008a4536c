"""The ``[indexes.NAME]`` tables and their pins: which sources, in which order, by which rules."""

from typing import Literal, get_args

from packaging.specifiers import InvalidSpecifier, Specifier

from wheelkeep.core import names, rules
from wheelkeep.core.errors import InvalidName
from wheelkeep.core.names import IndexName, SourceName
from wheelkeep.core.nearest import suggestion
from wheelkeep.core.settings import HostedSource, IndexSettings, MergeMode, Pin, SourceSettings
from wheelkeep.core.surroundings import Surroundings
from wheelkeep.core.toml_source import Table

Sources = dict[SourceName, SourceSettings]

_MODES: tuple[MergeMode, ...] = get_args(MergeMode)
_READ: tuple[Literal["anyone", "token"], ...] = ("anyone", "token")
_WITHHELD: tuple[Literal["yank", "omit"], ...] = ("yank", "omit")


def read_indexes(
    table: Table, sources: Sources, around: Surroundings, elsewhere: dict[str, str]
) -> dict[IndexName, IndexSettings]:
    """Every index in written order; mistakes are noted in the document. ``elsewhere``: see ``Table.done``."""
    indexes: dict[IndexName, IndexSettings] = {}
    for key, entry in table.entries():
        try:
            name = names.index(key)
        except InvalidName as error:
            table.wrong(key, str(error))
            name = IndexName(key)
        indexes[name] = _read_index(name, entry, sources, around)
        entry.done(elsewhere)
    return indexes


def _read_index(name: IndexName, table: Table, sources: Sources, around: Surroundings) -> IndexSettings:
    groups = _read_groups(table, sources)
    merge = table.choice("merge", _MODES, default="strict")
    pins = _read_pins(table, merge, sources, groups)
    if merge == "unsafe-blend":
        table.warn(
            "merge", "mixes the files of all sources: who can publish in one can replace what others hold"
        )
    publish = _read_publish(table, sources)
    if publish is not None and groups and all(publish not in group for group in groups):
        table.warn(
            "publish",
            f'"{publish}" is not among the sources of this index, so it does not show what it takes',
        )
    return IndexSettings(
        name=name,
        sources=groups,
        merge=merge,
        pins=pins,
        policy=table.parsed("policy", around.path),
        publish=publish,
        read=table.choice("read", _READ, default="anyone"),
        withheld=table.choice("withheld", _WITHHELD, default="yank"),
    )


def _read_groups(table: Table, sources: Sources) -> tuple[tuple[SourceName, ...], ...]:
    """``["acme", ["wheels", "vendor"], "pypi"]`` as groups; a name alone is a group of one."""
    example = "[" + ", ".join(f'"{name}"' for name in list(sources)[:4]) + "]"
    table.need("sources", f"write the sources from best to last, such as sources = {example}")
    listed = table.elements("sources")
    if listed is None:
        return ()
    if not listed:
        table.wrong("sources", f"is empty: write the sources from best to last, such as {example}")
    groups: list[tuple[SourceName, ...]] = []
    seen: set[SourceName] = set()
    for at, given in enumerate(listed):
        if given == []:
            table.wrong(
                "sources", "holds an empty group: write source names into it or take it out", element=at
            )
        members = given if isinstance(given, list) else [given]
        known = [_known_source(table, at, member, sources, seen) for member in members]
        if group := tuple(member for member in known if member is not None):
            groups.append(group)
    return tuple(groups)


def _known_source(
    table: Table, at: int, given: object, sources: Sources, seen: set[SourceName]
) -> SourceName | None:
    """One name out of the list of sources, if it is a source and new to the list."""
    if not isinstance(given, str):
        says = "must hold names of sources in quotes, or lists of such names that share a place"
    elif given not in sources:
        says = f'"{given}" is not a source of this configuration: {suggestion(given, sources)}'
    elif given in seen:
        says = f'names "{given}" twice: a source has one place'
    else:
        seen.add(SourceName(given))
        return SourceName(given)
    table.wrong("sources", says, element=at)
    return None


def _read_publish(table: Table, sources: Sources) -> SourceName | None:
    given = table.text("publish")
    if given is None:
        return None
    hosted = [name for name, source in sources.items() if isinstance(source, HostedSource)]
    if given in hosted:
        return SourceName(given)
    if given in sources:
        hint = ", ".join(hosted) or 'add one, [sources.acme] with kind = "hosted"'
        table.wrong("publish", f'"{given}" takes no uploads, only a hosted source does: {hint}')
    else:
        table.wrong(
            "publish", f'"{given}" is not a source of this configuration: {suggestion(given, hosted)}'
        )
    return None


def _read_pins(
    table: Table, merge: MergeMode, sources: Sources, groups: tuple[tuple[SourceName, ...], ...]
) -> tuple[Pin, ...]:
    stanzas = table.tables("pin")
    if stanzas and merge != "pinned":
        table.wrong(
            "pin", f'does nothing while merge = "{merge}": write merge = "pinned" or take the pins out'
        )
    members = [name for group in groups for name in group]
    return tuple(_read_pin(stanza, sources, members) for stanza in stanzas)


def _read_pin(table: Table, sources: Sources, members: list[SourceName]) -> Pin:
    """One stanza; the rules are APT's (apt_preferences(5)) as far as they make sense here."""
    packages = table.each("package", rules.read_glob, alone=True)
    if packages == () and not table.elements("package"):
        table.wrong("package", 'is empty: write a name, a glob or a list of them, or "*"')
    source = _read_pin_source(table, sources, members)
    version = table.parsed("version", _read_pin_version)
    table.need(
        "priority", "write a number other than 0, such as 990 to prefer or -1 to forbid; 500 is the default"
    )
    priority = table.integer("priority")
    if priority == 0:
        table.wrong("priority", "is 0, which means nothing: write a number above 0, or below 0 to forbid")
    if "source" not in table and "version" not in table:
        table.document.wrong(table.path, "pins nothing: write a source, a version or both")
    if "version" in table and (packages is None or "*" in packages):
        table.wrong("version", "needs a package: a version means something for named packages only")
    table.done()
    return Pin(packages=packages or (), source=source, version=version, priority=priority or 0)


def _read_pin_source(table: Table, sources: Sources, members: list[SourceName]) -> SourceName | None:
    given = table.text("source")
    if given is None:
        return None
    if given in members:
        return SourceName(given)
    if given in sources:
        table.wrong(
            "source", f'"{given}" is not among the sources of this index: {suggestion(given, members)}'
        )
    else:
        table.wrong(
            "source", f'"{given}" is not a source of this configuration: {suggestion(given, members)}'
        )
    return None


def _read_pin_version(text: str) -> str:
    """A version or a prefix (``1.26.*``), as PEP 440 allows both after ``==``."""
    try:
        Specifier(f"=={text}")
    except InvalidSpecifier:
        raise ValueError(
            f'"{text[:80]}" is neither a version nor a prefix: write "1.26.4" or "1.26.*"'
        ) from None
    if text != text.strip():
        raise ValueError("has spaces around the version")
    return text
