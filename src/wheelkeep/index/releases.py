"""The life of a release in a hosted source: yanked, deleted, moved on; its project's status; its name given up.

What an act does to rows lives in store/releases; who may ask for it is for cli and web to say.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.judge import judge
from wheelkeep.core.model import File, Page, Status
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.owners import MOST
from wheelkeep.core.rules import Rule
from wheelkeep.core.upload_rules import closed
from wheelkeep.index.index import Index
from wheelkeep.index.receive import Receiver
from wheelkeep.logs import get_logger
from wheelkeep.store.ledger import Entry
from wheelkeep.store.owners import Owners
from wheelkeep.store.releases import Changed, Conflict, Holding, Listed, Noted, Releases

log = get_logger(__name__)

_PATIENCE = 10.0
"""Seconds that a policy may take to learn what it has to know."""


class Acted(Struct, frozen=True, kw_only=True):
    """What was done, durably, and what needed nothing, by file name."""

    files: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    emptied: bool = False
    """The source has no file of the project any more, and keeps its name."""


class TooManyOwners(WheelkeepError):
    """Nothing was changed."""


class Stopped(Struct, frozen=True):
    """Nothing was done; the sentences say why."""

    problems: tuple[str, ...]


class Steward:
    """Looks after what hosted sources have. ``by`` is who asked for an act, for the ledger."""

    def __init__(
        self,
        *,
        releases: Releases,
        owners: Owners,
        receiver: Receiver,
        indexes: Sequence[Index],
        changed: Callable[[ProjectName], None],
    ) -> None:
        """``changed`` is told of every project of which a page shows something else."""
        self._releases = releases
        self._owners = owners
        self._receiver = receiver
        self._indexes = indexes
        self._changed = changed

    async def look(self, source: SourceName, project: ProjectName) -> Holding | None:
        """What the source has of the project; None: it never had a file of it."""
        return await self._releases.look(source, project)

    async def projects(
        self, source: SourceName, *, after: str, limit: int
    ) -> list[tuple[Listed, tuple[str, ...]]]:
        """The source's projects by name, with their owners: so many that come after a name."""
        listed = await self._releases.projects(source, after=after, limit=limit)
        owners = await self._owners.of_all(source, [each.project for each in listed])
        return [(each, owners.get(each.project, ())) for each in listed]

    async def owners(self, source: SourceName, project: ProjectName) -> tuple[str, ...]:
        """Who owns the project; empty: nobody was named, and whoever has the scope may publish it."""
        return await self._owners.of(source, project)

    async def change_owners(
        self,
        project: ProjectName,
        source: SourceName,
        become: Callable[[tuple[str, ...]], Collection[str]],
        *,
        by: str,
    ) -> tuple[str, ...] | Stopped:
        """Puts others in the place of a project's owners, also before its first file; gives those it has now."""

        def noted(before: tuple[str, ...], after: tuple[str, ...]) -> Entry:
            return _entry("owners", source, project, None, {"by": by, "owners": after, "before": before})

        def bounded(before: tuple[str, ...]) -> Collection[str]:
            after = set(become(before))
            if len(after) > MOST:
                raise TooManyOwners(f"a project has at most {MOST} owners")
            return after

        try:
            before, after = await self._owners.change(source, project, bounded, noted)
        except TooManyOwners as error:
            return Stopped((str(error),))
        if after != before:
            log.info("owners", source=source, project=project, owners=after, by=by)
        return after

    async def matching(self, rule: Rule, source: SourceName) -> tuple[File, ...]:
        """The files that a requirement means, by file name."""
        holding = await self._releases.look(source, ProjectName(rule.name))
        return (
            tuple(file for file in holding.files if rule.allows(file.version)) if holding is not None else ()
        )

    async def yank(
        self, rule: Rule, source: SourceName, reason: str, *, by: str, asker: str | None = None
    ) -> Acted | Stopped:
        """Yanks what a requirement means: installers pass it over unless it is asked for exactly (PEP 592).

        ``asker``: who must be an owner, where the project has some; None: nobody need be. Raises NotOwned.
        """
        noted = _noted("yanked", by, reason=reason)
        project = ProjectName(rule.name)
        done = await self._releases.yank(source, project, _meant(rule), reason, noted, asker=asker)
        return self._acted(rule, source, done)

    async def unyank(
        self, rule: Rule, source: SourceName, *, by: str, asker: str | None = None
    ) -> Acted | Stopped:
        """Takes a yank back. Raises NotOwned."""
        noted = _noted("unyanked", by)
        project = ProjectName(rule.name)
        done = await self._releases.yank(source, project, _meant(rule), None, noted, asker=asker)
        return self._acted(rule, source, done)

    async def delete(
        self, rule: Rule, source: SourceName, reason: str, *, by: str, only: Collection[str] | None = None
    ) -> Acted | Stopped:
        """Removes what a requirement means, for good: no file name is given again, the project's name stays.

        ``only``: the file names that somebody agreed to; what came since is left alone.
        """
        meant, project = _meant(rule), ProjectName(rule.name)
        gone = await self._releases.remove(
            source,
            project,
            lambda file: meant(file) and (only is None or file.filename in only),
            _noted("deleted", by, reason=reason),
        )
        acted = self._acted(rule, source, Changed(gone, ()))
        return (
            replace(acted, emptied=await self._empty(source, project)) if isinstance(acted, Acted) else acted
        )

    async def set_status(
        self, project: ProjectName, source: SourceName, status: Status, *, by: str, asker: str | None = None
    ) -> Acted | Stopped:
        """Gives a project a status (PEP 792). An archived or quarantined one takes no uploads, the latter offers no
        files either, and no other source's in their place. Raises NotOwned."""
        detail = {"by": by, "status": status.status, "reason": status.reason}
        entry = _entry("status", source, project, None, detail)
        done = await self._releases.set_status(source, project, status, entry, asker=asker)
        if done is None:
            return Stopped((_never(source, project),))
        if done:
            self._tell("status", source, project, status=status.status, by=by)
        return Acted()

    async def free(self, project: ProjectName, source: SourceName, *, by: str) -> Acted | Stopped:
        """Gives up a name of which no file is left: from now on the sources below may be asked for it.

        The file names that were used stay used here.
        """
        entry = _entry("freed", source, project, None, {"by": by})
        before = await self._releases.free(source, project, entry)
        if before is None:
            return Stopped((_never(source, project),))
        if before.files:
            says = (
                f"{source} has files of {project} ({len(before.files)}): delete them before its name is freed"
            )
            return Stopped((says,))
        if not before.standing.freed:
            self._tell("freed", source, project, by=by)
        return Acted()

    async def promote(
        self, rule: Rule, source: SourceName, to: SourceName, *, by: str, asker: str | None = None
    ) -> Acted | Stopped:
        """Moves what a requirement means to another hosted source: the same bytes, metadata, attestations and times.

        All of it or nothing. It is judged first as a file of that source, by the policy of every index that has it.
        Raises NotOwned where either end has owners, and ``asker`` is none of them.
        """
        project = ProjectName(rule.name)
        files = await self.matching(rule, source)
        if not files:
            return Stopped((_nothing(rule, source),))
        problems = await self._unfit(files, source, to)
        if problems:
            return Stopped(tuple(problems))
        entries = [entry for file in files for entry in _moved(file, to, by)]
        outcome = await self._releases.move(files, to, entries, asker=asker)
        if isinstance(outcome, Status):
            return Stopped((closed(project, outcome) or "",))
        if outcome:
            return Stopped(tuple(_says(conflict, source, to) for conflict in outcome))
        self._tell("promoted", source, project, to=to, files=len(files), by=by)
        emptied = await self._empty(source, project)
        return Acted(files=tuple(file.filename for file in files), emptied=emptied)

    async def _unfit(self, files: Sequence[File], source: SourceName, to: SourceName) -> list[str]:
        """Why files may not become those of another source."""
        project = files[0].project
        holding = await self._releases.look(source, project)
        status = holding.standing.status if holding is not None else None
        if status is not None and status.status == "quarantined":
            return [f"{project} is quarantined in {source}"]
        if (refused := await self._receiver.no_room(to, project)) is not None:
            return list(refused.problems)
        moved = tuple(replace(file, source=to) for file in files)
        problems = [
            problem
            for file in moved
            if (refused := self._receiver.not_offered(file)) is not None
            for problem in refused.problems
        ]
        return problems + await self._blocks(moved, source, to)

    async def _blocks(self, files: tuple[File, ...], source: SourceName, to: SourceName) -> list[str]:
        page = Page(project=files[0].project, files=files)
        says: list[str] = []
        for index in self._indexes:
            if not any(place.source.name == to for group in index.groups for place in group):
                continue
            policy = index.policy.current
            context = await index.context(policy, page, patience=_PATIENCE, lies_in=source)
            judged = judge(page, policy, context)
            for file, decision in zip(files, judged.decisions, strict=True):
                against = decision.against
                if against is not None:
                    says.append(
                        f"the policy of {index.name} stops {file.filename}: {against.gate}: {against.sentence}"
                    )
        return says

    def _acted(self, rule: Rule, source: SourceName, done: Changed) -> Acted | Stopped:
        if not done.files and not done.same:
            return Stopped((_nothing(rule, source),))
        if done.files:
            self._changed(ProjectName(rule.name))
        return Acted(
            files=tuple(file.filename for file in done.files), same=tuple(file.filename for file in done.same)
        )

    async def _empty(self, source: SourceName, project: ProjectName) -> bool:
        holding = await self._releases.look(source, project)
        return holding is not None and not holding.files

    def _tell(self, event: str, source: SourceName, project: ProjectName, **more: Any) -> None:
        self._changed(project)
        log.info(event, source=source, project=project, **more)


def _meant(rule: Rule) -> Callable[[File], bool]:
    return lambda file: rule.allows(file.version)


def _entry(
    kind: str, source: SourceName, project: ProjectName, filename: str | None, detail: dict[str, Any]
) -> Entry:
    return Entry(
        kind=kind, at=datetime.now(UTC), source=source, project=project, filename=filename, detail=detail
    )


def _noted(kind: str, by: str, **more: str) -> Noted:
    def note(file: File) -> Entry:
        detail = {"by": by, "version": file.version, "sha256": file.sha256, **more}
        return _entry(kind, file.source, file.project, file.filename, detail)

    return note


def _moved(file: File, to: SourceName, by: str) -> list[Entry]:
    """Both ends of a move, so that the story of either source can be read alone."""
    told = {"by": by, "version": file.version, "sha256": file.sha256, "size": file.size}
    return [
        _entry("promoted", to, file.project, file.filename, told | {"from": file.source}),
        _noted("deleted", by, reason=f"promoted to {to}")(file),
    ]


def _nothing(rule: Rule, source: SourceName) -> str:
    return f"{source} has no file for {rule.text}"


def _never(source: SourceName, project: ProjectName) -> str:
    return f"{source} never had a file of {project}"


def _says(conflict: Conflict, source: SourceName, to: SourceName) -> str:
    taken = conflict.taken
    if taken is None:
        return f"{conflict.filename} changed in {source} meanwhile: look again"
    if taken.sha256 is None:
        return f"{conflict.filename} was in {to} once and was removed; its name is never used again"
    return f"{taken.filename} is in {to} with the sha256 {taken.sha256}, and never gets other bytes"
