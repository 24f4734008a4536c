"""``policy test``: a policy held against what its keepers expect of it, by asking as a client's request would."""

from collections.abc import Sequence

from msgspec import Struct

from wheelkeep.core.expectations import Expectation, fails, fails_unlisted
from wheelkeep.core.judge import judge
from wheelkeep.core.merge import Nowhere
from wheelkeep.core.model import File, Unasked, Unreachable
from wheelkeep.core.names import ProjectName, version
from wheelkeep.core.policy import Policy
from wheelkeep.core.verdict import Decision, Outcome, Verdict
from wheelkeep.index.gather import Gathered
from wheelkeep.index.index import Index

_PATIENCE = 10.0
"""Seconds that a person waits for what is newest."""


class Tried(Struct, frozen=True, kw_only=True):
    """One expectation, and whether it holds."""

    line: int
    expectation: str
    holds: bool
    says: str = ""
    """Why it does not hold."""


class Tested(Struct, frozen=True, kw_only=True):
    """All of them, as ``--json`` prints it."""

    index: str
    policy: str
    file: str
    expectations: tuple[Tried, ...]
    holding: int
    failing: int


async def test(
    index: Index, policy: Policy, expectations: Sequence[Expectation], *, names: tuple[str, str]
) -> Tested:
    """Tries every expectation. ``names``: those of the policy's and the expectations' files."""
    gathered: dict[ProjectName, Gathered] = {}
    tried: list[Tried] = []
    for one in expectations:
        if one.project not in gathered:
            gathered[one.project] = await index.gather(one.project, patience=_PATIENCE, policy=policy)
        says = await _fails(one, gathered[one.project], index, policy)
        tried.append(Tried(line=one.line, expectation=one.text, holds=not says, says=says))
    holding = sum(one.holds for one in tried)
    return Tested(
        index=index.name,
        policy=names[0],
        file=names[1],
        expectations=tuple(tried),
        holding=holding,
        failing=len(tried) - holding,
    )


async def _fails(one: Expectation, gathered: Gathered, index: Index, policy: Policy) -> str:
    outcome = gathered.outcome
    if isinstance(outcome, Nowhere):
        return f"no source of this index has {one.project}"
    if isinstance(outcome, Unreachable):
        return f"the source {outcome.source} might have {one.project}, but {outcome.reason}"
    if isinstance(outcome, Unasked):
        verdict = Verdict(
            gate=outcome.gate, outcome=Outcome.BLOCKED, code="allow-unlisted", sentence=outcome.sentence
        )
        return fails_unlisted(one, verdict)
    context = await index.context(policy, outcome.page, patience=_PATIENCE)
    judged = judge(outcome.page, policy, context)
    meant: list[tuple[File, Decision]] = [
        (file, decision)
        for file, decision in zip(judged.page.files, judged.decisions, strict=True)
        if one.means(file)
    ]
    meant.sort(key=lambda pair: (version(pair[0].version), pair[0].filename))
    return fails(one, meant)
