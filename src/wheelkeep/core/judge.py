"""Judging: a merged page with a decision per file, and the moment at which that stops being true."""

from datetime import datetime

from msgspec import Struct

from wheelkeep.core.gates import Context
from wheelkeep.core.merge import earliest
from wheelkeep.core.model import File, Page
from wheelkeep.core.policy import Policy, decide
from wheelkeep.core.verdict import Decision


class Judged(Struct, frozen=True, kw_only=True):
    """A page, and what the policy says of each of its files."""

    page: Page
    decisions: tuple[Decision, ...]
    """One a file, in the page's order."""
    good_until: datetime | None

    def find(self, filename: str) -> tuple[File, Decision] | None:
        """The file of that exact name with its decision."""
        for file, decision in zip(self.page.files, self.decisions, strict=True):
            if file.filename == filename:
                return file, decision
        return None

    @property
    def nothing_admitted(self) -> bool:
        """There are files, and every one of them is withheld."""
        return bool(self.decisions) and not any(decision.admitted for decision in self.decisions)


def judge(page: Page, policy: Policy, context: Context) -> Judged:
    """A decision for every file of the page. ``good_until``: until one may change."""
    decisions: list[Decision] = []
    last: Decision | None = None
    version = ""
    for file in page.files:
        last = decide(policy, file, context, last, alike=file.version == version)
        version = file.version
        decisions.append(last)
    return Judged(
        page=page,
        decisions=tuple(decisions),
        good_until=earliest(decision.until for decision in decisions),
    )
