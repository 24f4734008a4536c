"""A stored page and what a bundle tells of it become one page. It only grows: what is on neither is not
missed, what came first stands."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from wheelkeep.core.model import File, Page, Was
from wheelkeep.core.pins import MOST_BEFORE, Incident, conflict, turned


class Clash(Struct, frozen=True, kw_only=True):
    """A bundle brings other bytes under a file name than were seen first here: those that were stay."""

    incident: Incident
    known: bool
    """Told before, by a source or by a bundle."""


def grown(
    stored: Page | None, carried: Page, now: datetime, firsts: Mapping[str, str], *, newer: bool
) -> tuple[Page, tuple[Clash, ...]]:
    """The stored page with the files of a bundle; both are of one project and one source.

    ``newer``: the bundle knows of a later answer of the source than is stored, so its word holds for what may
    change: yanked, gone, the status. ``firsts``: as of ``pins.overlay``. A file that only one of the two has
    stays as it is there.
    """
    files = {file.filename: file for file in stored.files} if stored is not None else {}
    clashes: list[Clash] = []
    for new in carried.files:
        old = files.get(new.filename)
        if old is None:
            first = firsts.get(new.filename, new.sha256)
            if first == new.sha256:
                files[new.filename] = new
            else:
                clashes.append(_clash(new, first or "", new.sha256 or "", known=False))
            continue
        if (broken := conflict(old, new)) is not None:
            clashes.append(_clash(new, *broken, known=old.changed == broken[1]))
            files[new.filename] = replace(old, changed=broken[1])
        else:
            files[new.filename] = _both(old, new, now, newer=newer)
    status = carried.status if newer or stored is None else stored.status
    versions = dict.fromkeys((*(stored.versions if stored is not None else ()), *carried.versions))
    return (
        Page(project=carried.project, files=tuple(files.values()), versions=tuple(versions), status=status),
        tuple(clashes),
    )


def _clash(file: File, first: str, told: str, *, known: bool) -> Clash:
    incident = Incident(kind="hash-changed", filename=file.filename, first=first, told=told)
    return Clash(incident=incident, known=known)


def _both(here: File, new: File, now: datetime, *, newer: bool) -> File:
    """One file of which two states are known: the one that is stored, and the bundle's."""
    before, after = (here, new) if newer else (new, here)
    past = {was.until: was for was in (*new.before, *here.before)}
    turns = tuple(past[until] for until in sorted(past))
    if newer and here.yanked != new.yanked and not any(was.yanked == here.yanked for was in new.before):
        turns = (*turns, Was(until=now, yanked=here.yanked))
    return replace(
        after,
        source=here.source,
        sha256=here.sha256 or new.sha256,
        unstated=here.unstated and new.unstated,
        digests=here.digests or new.digests,
        size=here.size if here.size is not None else new.size,
        upload_time=here.upload_time or new.upload_time,
        first_seen=here.first_seen,
        late=here.late,
        absent=here.absent,
        before=turns[-MOST_BEFORE:],
        metadata=after.metadata if after.metadata is not None else before.metadata,
        provenance=after.provenance or before.provenance,
        changed=here.changed or new.changed,
    )


def hosted(here: File, carried: File, now: datetime) -> File:
    """A hosted file that is there already, with the same bytes, after a bundle told of it.

    It is yanked as it was there. What was yanked here stays so, unless there it was yanked for that very
    reason, and is not any more.
    """
    if carried.yanked == here.yanked:
        return here
    undone = carried.yanked is None and any(was.yanked == here.yanked for was in carried.before)
    if carried.yanked is None and not undone:
        return here
    return replace(here, yanked=carried.yanked, before=turned(here, now))
