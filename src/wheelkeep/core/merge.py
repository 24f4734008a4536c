"""Merging: what a project's page shows when several sources have the name. Pure; comes before policy.

The rules are those of the tools that invented repository priorities; ``strict`` is conda's (a name belongs to the best
tier that has any build of it). The words follow PEP 766: this is *index priority*.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from wheelkeep.core.model import Absent, Answer, File, Found, Page, Unasked, Unreachable
from wheelkeep.core.names import ProjectName, SourceName, version


class Merged(Struct, frozen=True, kw_only=True):
    """The page that an index has for a name, before policy."""

    page: Page
    owners: tuple[SourceName, ...]
    """The source, or the sources of one group, that the name belongs to."""
    stale: str | None = None
    good_until: datetime | None = None


class Nowhere(Struct, frozen=True, kw_only=True):
    """Every source that could have the name says cleanly that it does not."""

    good_until: datetime | None = None


Outcome = Merged | Nowhere | Unreachable | Unasked


def strict(project: ProjectName, groups: Sequence[Sequence[Answer]]) -> Outcome | None:
    """The outcome of the answers so far, the best group first; None while a lower group has yet to be asked.

    The first group that has the name decides alone. A source that gave no usable answer might have the name, so it
    decides too: an outage is not an absence. A source that was not asked because a gate blocks the whole name stands
    before the lower ones likewise.
    """
    absences: list[datetime | None] = []
    for answers in groups:
        outcome = _group(project, answers)
        if isinstance(outcome, Merged):
            # The better sources are to be asked again too: once their absence is old, they might have the name.
            return replace(outcome, good_until=earliest([outcome.good_until, *absences]))
        if outcome is not None:
            return outcome
        absences += [answer.good_until for answer in answers if isinstance(answer, Found | Absent)]
    return None


def nowhere(groups: Iterable[Sequence[Answer]]) -> Nowhere:
    """The outcome when every group was asked and none decided."""
    return Nowhere(
        good_until=earliest(
            answer.good_until
            for answers in groups
            for answer in answers
            if isinstance(answer, Found | Absent)
        )
    )


def _group(project: ProjectName, answers: Sequence[Answer]) -> Outcome | None:
    """A group acts as one source: the union of its files, a file name's first holder in written order winning."""
    for answer in answers:
        if isinstance(answer, Unreachable):
            return answer
        if isinstance(answer, Found) and answer.stale is not None and not has(answer):
            # What it has now is not known, and what it had is nothing: that is no clean absence.
            return Unreachable(source=answer.source, reason=answer.stale)
    holders = [answer for answer in answers if isinstance(answer, Found) and has(answer)]
    if not holders:
        return next((answer for answer in answers if isinstance(answer, Unasked)), None)
    return Merged(
        page=union(project, [answer.page for answer in holders]),
        owners=tuple(answer.source for answer in holders),
        stale=next((answer.stale for answer in holders if answer.stale), None),
        good_until=earliest(answer.good_until for answer in answers if isinstance(answer, Found | Absent)),
    )


def has(answer: Found) -> bool:
    """Whether the source has the name: a file of it, of whatever platform, or a standing claim (PEP 792's
    quarantined is one: such a project may offer no files, and nobody else may offer them in its place)."""
    status = answer.page.status
    return bool(answer.page.files) or answer.claims or (status is not None and status.status == "quarantined")


def union(project: ProjectName, pages: Sequence[Page]) -> Page:
    """All files of all pages, the earlier page's where two have one file name; the first status that is told."""
    if len(pages) == 1:
        return replace(pages[0], project=project)
    files: dict[str, File] = {}
    versions: dict[str, None] = {}
    for page in pages:
        for file in page.files:
            files.setdefault(file.filename, file)
        versions.update(dict.fromkeys(page.versions))
    status = next((page.status for page in pages if page.status is not None), None)
    return Page(project=project, files=tuple(files.values()), versions=tuple(versions), status=status)


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    """The earliest known moment; None when there is none."""
    return min((moment for moment in moments if moment is not None), default=None)


def newest(files: Sequence[File]) -> str | None:
    """The newest version among files, final ones before pre-releases, as a client would choose (PEP 440)."""
    found = {file.version for file in files}
    if not found:
        return None
    return max(found, key=lambda text: (not version(text).is_prerelease, version(text)))
