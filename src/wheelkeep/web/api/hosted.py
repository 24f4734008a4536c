"""What a call to a hosted source is about: the source, the project, and whether it is the caller's to touch."""

from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.owners import stranger
from wheelkeep.core.rules import Rule, read_versions
from wheelkeep.core.settings import HostedSource
from wheelkeep.index.releases import Acted, Stopped
from wheelkeep.store.releases import Holding
from wheelkeep.web import problem
from wheelkeep.web.api.operation import Call, Refusal


def source_of(call: Call) -> SourceName:
    """The hosted source in the address. Raises Refusal (404)."""
    return hosted(call, call.places["source"])


def hosted(call: Call, name: str) -> SourceName:
    """A source that takes uploads. Raises Refusal (404)."""
    if not isinstance(call.keep.settings.sources.get(SourceName(name)), HostedSource):
        raise call.not_found(f"no hosted source is called {name}")
    return SourceName(name)


def project_of(call: Call) -> ProjectName:
    return ProjectName(call.places["project"])


async def held(call: Call) -> Holding:
    """What the source in the address has of the project. Raises Refusal (404) where it never had a file of it."""
    source, project = source_of(call), project_of(call)
    holding = await call.keep.steward.look(source, project)
    if holding is None:
        raise call.not_found(f"{source} never had a file of {project}")
    return holding


async def meant(call: Call, versions: str) -> Rule:
    """The requirement that ``versions`` of the project make. Raises Refusal (400; 404 where no file is meant)."""
    source = source_of(call)
    rule = call.read(read_versions, versions, project_of(call), at="versions")
    if not await call.keep.steward.matching(rule, source):
        raise call.not_found(f"{source} has no file for {rule.text}")
    return rule


def asker_of(call: Call) -> str | None:
    """Who must be an owner of what is acted on, where that has some; None: an admin need not."""
    return None if call.caller.is_admin else call.caller.name


async def not_a_stranger(call: Call, source: SourceName) -> None:
    """Raises Refusal (403) where the project has owners in the source, and the caller is neither one nor an admin.

    So no stranger is told more; the act itself asks again, in its own transaction.
    """
    if call.caller.is_admin:
        return
    project = project_of(call)
    owners = await call.keep.steward.owners(source, project)
    if (says := stranger(project, owners, call.caller.name)) is not None:
        raise Refusal(problem.owned(call.request, says))


def done(call: Call, outcome: Acted | Stopped) -> Acted:
    """What was done. Raises Refusal (409) where nothing was."""
    if isinstance(outcome, Stopped):
        raise Refusal(problem.conflict(call.request, outcome.problems))
    return outcome
