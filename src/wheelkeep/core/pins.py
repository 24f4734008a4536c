"""A stored page only grows: what a source says now is laid over what it said first. A changed hash is an incident."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from wheelkeep.core.model import Departure, File, Page, Was

MOST_BEFORE = 50
"""Earlier states of one file: a source that turns to and fro must not make a page grow for ever."""


_NONE: Mapping[str, str] = {}


class Incident(Struct, frozen=True, kw_only=True):
    """A source broke its word about one file."""

    kind: str
    """``hash-changed``, ``bytes-differ`` or ``metadata-differs``."""
    filename: str
    first: str
    """The sha256 that stands; another digest with its name before it where no sha256 was told."""
    told: str
    """The one that came later and is not believed."""


def overlay(
    stored: Page | None,
    told: Page,
    now: datetime,
    checked: datetime | None = None,
    firsts: Mapping[str, str] = _NONE,
) -> tuple[Page, tuple[Incident, ...]]:
    """Lays the page that a source tells now over the stored one; both are of one project and one source.

    Of a file that stays, the first sha256, size and upload time are kept, and what may change (its address; by the
    standards yanked, PEP 592; metadata, PEP 658; provenance, PEP 740) is taken from the new page. Of a file whose
    sha256 changed everything is kept as it was. A file that is no longer listed is marked ``gone``, and how it left;
    so is each of a project in quarantine, which may offer none (PEP 792), listed or not.
    ``checked``: when the source last said what is stored. ``firsts``: the sha256 of file names that were seen before
    there was this page, which stand as those of a stored page do.
    """
    quarantined = told.status is not None and told.status.status == "quarantined"
    before = {file.filename: file for file in stored.files} if stored else {}
    files: list[File] = []
    incidents: list[Incident] = []
    for new in told.files:
        old = before.pop(new.filename, None)
        if old is None:
            late = stored is not None
            first = replace(new, first_seen=now, late=late, absent=checked if late else None)
            if (known := firsts.get(new.filename)) not in (None, new.sha256):
                first = replace(first, sha256=known, size=None, digests={}, changed=new.sha256)
                if new.sha256 is not None:
                    incidents.append(
                        Incident(
                            kind="hash-changed", filename=new.filename, first=known or "", told=new.sha256
                        )
                    )
            files.append(_left(first, "quarantined") if quarantined else first)
            continue
        merged, incident = _over(old, new, now)
        files.append(_left(merged, "quarantined") if quarantined else merged)
        if incident is not None:
            incidents.append(incident)
    files.extend(_left(old, "quarantined" if quarantined else "file") for old in before.values())
    return replace(told, files=tuple(files)), tuple(incidents)


def _over(old: File, new: File, now: datetime) -> tuple[File, Incident | None]:
    if (broken := conflict(old, new)) is not None:
        first, told = broken
        incident = Incident(kind="hash-changed", filename=old.filename, first=first, told=told)
        # Told once: the same lie on every refresh is one incident.
        return replace(old, gone=False, left=None, changed=told), incident if old.changed != told else None
    size = old.size if old.size is not None else new.size
    same_metadata = new.metadata if new.metadata is not None else old.metadata
    return (
        replace(
            new,
            sha256=old.sha256 or new.sha256,
            unstated=old.unstated and new.sha256 is None,
            digests=old.digests or new.digests,
            size=size,
            # A size is no digest: one that was told wrong and put right must not keep the file away for ever.
            resized=new.size if new.size != size else None,
            upload_time=old.upload_time or new.upload_time,
            first_seen=old.first_seen,
            late=old.late,
            absent=old.absent,
            before=old.before if old.yanked == new.yanked else turned(old, now),
            metadata=same_metadata,
            changed=old.changed,
        ),
        None,
    )


def turned(old: File, now: datetime) -> tuple[Was, ...]:
    """The earlier states of a file that is yanked from now on, or no longer, or for another reason."""
    return (*old.before, Was(until=now, yanked=old.yanked))[-MOST_BEFORE:]


def conflict(old: File, new: File) -> tuple[str, str] | None:
    """The hash that stands and the one that breaks it; other digests count while there is no sha256."""
    if old.sha256 is not None:
        return (old.sha256, new.sha256) if new.sha256 not in (None, old.sha256) else None
    return next(
        (
            (f"{name}:{digest}", f"{name}:{told}")
            for name, digest in old.digests.items()
            if (told := new.digests.get(name, digest)) != digest
        ),
        None,
    )


def all_gone(stored: Page) -> Page:
    """The stored page after the source said, with a clean 404, that it no longer has the name."""
    return replace(stored, files=tuple(_left(file, "project") for file in stored.files), unread=False)


def _left(file: File, how: Departure) -> File:
    """A file that is not listed. How it left stays as it was seen first, but for quarantine, which may come later."""
    if file.gone and (how != "quarantined" or file.left == how):
        return file
    return replace(file, gone=True, left=how)


def suspected(page: Page) -> Page:
    """The page with its quarantined files yanked (PEP 592): who pinned one goes on, and nobody is newly led to it."""
    why = page.status.reason if page.status is not None and page.status.status == "quarantined" else None
    says = f"wheelkeep: in quarantine at its origin{f': {why}' if why else ''}"
    return replace(
        page,
        files=tuple(
            replace(file, yanked=says) if file.left == "quarantined" else file for file in page.files
        ),
    )


def departed(before: Page | None, after: Page | None) -> tuple[File, ...]:
    """The files that left between two states of a page, and those whose departure is seen in another light now."""
    was = {file.filename: file.left for file in before.files} if before is not None else {}
    files = after.files if after is not None else ()
    return tuple(file for file in files if file.gone and file.left != was.get(file.filename))


def first_sights(before: Page | None, after: Page | None) -> tuple[File, ...]:
    """The files that have a sha256 for the first time in the later of two states of a page."""
    if after is None or after is before:
        return ()
    known = (
        {file.filename for file in before.files if file.sha256 is not None} if before is not None else set()
    )
    return tuple(file for file in after.files if file.sha256 is not None and file.filename not in known)


def learned(page: Page, filename: str, *, sha256: str, size: int) -> Page:
    """The page after the whole bytes of a file came: a hash or size that nobody had told is the first seen."""
    return replace(
        page,
        files=tuple(_learned(f, sha256, size) if f.filename == filename else f for f in page.files),
    )


def _learned(file: File, sha256: str, size: int) -> File:
    if file.sha256 is None:
        return replace(file, sha256=sha256, unstated=True, size=size)
    return replace(file, size=size) if file.sha256 == sha256 else file
