"""Merging: what a project's page shows when several sources have the name. Pure; comes before policy.

The rules are those of the tools that invented repository priorities; the numbers in brackets are those of
docs/guide/priorities.md. ``strict`` is conda's (C1): a name belongs to the best tier that has any build of it.
``floor`` keeps its promise but fills in the past. ``pinned`` is APT's candidate (A2, A4), ``unsafe-blend`` conda
without priorities (C4). In PEP 766's words ``strict`` is *index priority* and ``unsafe-blend`` *version priority*.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace
from packaging.version import Version

from wheelkeep.core.model import Absent, Answer, File, Found, Page, Unasked, Unreachable
from wheelkeep.core.names import ProjectName, SourceName, version
from wheelkeep.core.pinned import Choice, choose, highest
from wheelkeep.core.settings import MergeMode, Pin


class Merged(Struct, frozen=True, kw_only=True):
    """The page that an index has for a name, before policy."""

    page: Page
    owners: tuple[SourceName, ...]
    """The source, or the sources of one group, that the name belongs to."""
    stale: str | None = None
    good_until: datetime | None = None
    choice: Choice | None = None
    """Why these files and no others, where pins decided."""


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


def merge(
    mode: MergeMode, project: ProjectName, groups: Sequence[Sequence[Answer]], pins: Sequence[Pin] = ()
) -> Outcome:
    """The outcome of all answers, the best group first. Independent of the order in which they came.

    In every mode a source that gave no usable answer makes the whole outcome Unreachable, unless, in ``strict``,
    a better group decides without it.
    """
    if mode == "strict":
        return strict(project, groups) or nowhere(groups)
    parts = [_group(project, answers) for answers in groups]
    for part in parts:
        if isinstance(part, Unreachable):
            return part
    held = [part for part in parts if isinstance(part, Merged)]
    if not held:
        return next((part for part in parts if isinstance(part, Unasked)), None) or nowhere(groups)
    settled = _MODES[mode](project, parts, groups, pins)
    if isinstance(settled, Unasked):
        return settled
    page, choice = settled
    return Merged(
        page=page,
        owners=tuple(owner for part in held for owner in part.owners),
        stale=next((part.stale for part in held if part.stale), None),
        good_until=nowhere(groups).good_until,
        choice=choice,
    )


_Part = Outcome | None
_Settled = tuple[Page, Choice | None] | Unasked


def _floor(
    project: ProjectName,
    parts: Sequence[_Part],
    groups: Sequence[Sequence[Answer]],
    _pins: Sequence[Pin],
) -> _Settled:
    """The best holder's files, and from each lower one those of versions older than every version above it.

    Below a name that is claimed without a file, and below a source that was not asked, nothing is shown: what is
    older than the unknown is not known. What else the best holder's page tells stays as it is: its status too.
    """
    pages: list[Page] = []
    lowest: Version | None = None
    for part, answers in zip(parts, groups, strict=True):
        if isinstance(part, Merged):
            files = part.page.files
            there = dict.fromkeys(file.version for file in files)
            if lowest is not None:
                bound = lowest
                older = {text: None for text in there if version(text) < bound}
                kept = tuple(file for file in files if file.version in older)
                pages.append(replace(part.page, files=kept, versions=tuple(older), status=None))
            else:
                pages.append(part.page)
            if not there:
                break
            lowest = min([version(text) for text in there] + ([lowest] if lowest is not None else []))
        unasked = next((answer for answer in answers if isinstance(answer, Unasked)), None)
        if unasked is not None:
            if not pages:
                return unasked
            break
    return union(project, pages), None


def _blend(
    project: ProjectName,
    parts: Sequence[_Part],
    _groups: Sequence[Sequence[Answer]],
    _pins: Sequence[Pin],
) -> _Settled:
    """Everything (C4); only a file name in two sources is the better one's."""
    return union(project, [part.page for part in parts if isinstance(part, Merged)]), None


def _pinned(
    project: ProjectName,
    _parts: Sequence[_Part],
    groups: Sequence[Sequence[Answer]],
    pins: Sequence[Pin],
) -> _Settled:
    """The candidate's files. Groups say only which of two files of one name is the better one's.

    A source that was not asked may have the candidate: then no other version is put in its place.
    """
    answers = [answer for group in groups for answer in group]
    pages = {answer.source: answer.page for answer in answers if isinstance(answer, Found) and has(answer)}
    choice = choose(project, pages, pins)
    to_beat = choice.candidate.number if choice.candidate is not None else 1
    for answer in answers:
        if isinstance(answer, Unasked) and highest(project, answer.source, pins) >= to_beat:
            return answer
    holders = {file.source for file in choice.files} or pages.keys()
    told = (page.status for source, page in pages.items() if source in holders)
    shown = (choice.candidate.version,) if choice.candidate is not None and choice.files else ()
    status = next((status for status in told if status is not None), None)
    return Page(project=project, files=choice.files, versions=shown, status=status), choice


_MODES: dict[
    MergeMode,
    Callable[[ProjectName, Sequence[_Part], Sequence[Sequence[Answer]], Sequence[Pin]], _Settled],
] = {"floor": _floor, "pinned": _pinned, "unsafe-blend": _blend}


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
    quarantined is one: such a project may offer no files, and nobody else may offer them in its place; a page of
    which no file can be read is another, as it is anything but a clean absence)."""
    page = answer.page
    quarantined = page.status is not None and page.status.status == "quarantined"
    return bool(page.files) or answer.claims or quarantined or page.unread


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
