"""The ``[scrub]`` table: how often every stored byte is read again by the server, and how fast."""

from datetime import timedelta

from msgspec.structs import replace

from wheelkeep.core import units
from wheelkeep.core.settings import ScrubSettings
from wheelkeep.core.toml_source import Table


def read_scrub(root: Table, elsewhere: dict[str, str]) -> ScrubSettings:
    """What the table says; mistakes are noted. ``elsewhere``: see ``Table.done``."""
    settings = ScrubSettings()
    table = root.table("scrub")
    if table is None:
        return settings
    every, rate = table.parsed("every", _read_every), table.parsed("rate", units.read_size)
    table.done(elsewhere)
    if every is not None:
        settings = replace(settings, every=every or None)
    return replace(settings, rate=rate) if rate is not None else settings


def _read_every(text: str) -> timedelta:
    """No time at all stands for "off"."""
    return timedelta(0) if text == "off" else units.read_duration(text)
