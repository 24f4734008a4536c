"""An index's policy file while a command edits it: read, changed, shown to be a policy still, written."""

import sys
from collections.abc import Callable, Mapping, Sequence

import typer

from wheelkeep import configuration
from wheelkeep.core.edit_policy import allowing, denying, reasoned
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.names import IndexName, ProjectName
from wheelkeep.core.read_policy import read_policy
from wheelkeep.core.rules import Rule, RuleSet, read_rule
from wheelkeep.core.settings import Settings
from wheelkeep.store.text_file import TextFile


class Draft:
    """Nothing is written before ``write``."""

    def __init__(self, settings: Settings, index: IndexName) -> None:
        """Raises WheelkeepError where the index has no policy, ConfigError where it is broken."""
        path = settings.indexes[index].policy
        if path is None:
            where = settings.origin or "wheelkeep.toml"
            raise WheelkeepError(
                f'the index {index} has no policy: write policy = "policy.toml" below [indexes.{index}] in {where},'
                " and make that file, which may be empty"
            )
        self.path = path
        self._file = TextFile(path)
        self._kinds = configuration.kinds(settings)
        self._text = self._file.text
        self._read()

    def _read(self) -> None:
        policy = read_policy(self._text, file=str(self.path), sources=self._kinds)
        self.has_list = policy.allow is not None
        self.allowed = RuleSet(policy.allow.packages if policy.allow is not None else ())
        self.denied = RuleSet(policy.deny.packages if policy.deny is not None else ())

    def allow(self, requirements: Sequence[str], why: Mapping[str, str] | None = None) -> tuple[str, ...]:
        """Adds to ``[allow]``; gives what was added: not what a name there allows already. Raises BadParameter."""
        if not self.has_list and requirements:
            print(
                f"wheelkeep: {self.path} had no [allow]: once it has one, what it does not name stays out",
                file=sys.stderr,
            )
        return self._add(requirements, lambda: self.allowed, lambda text, new: allowing(text, new, why))

    def deny(self, requirements: Sequence[str], reason: str | None) -> tuple[str, ...]:
        """Adds to ``[deny]``, with the reason that all denials there share. Raises BadParameter."""
        added = self._add(requirements, lambda: self.denied, denying)
        if reason is not None and (added or self.denied):
            self._edit(lambda text: reasoned(text, reason))
        return added

    def write(self) -> bool:
        """Whether there was something to write. Raises WheelkeepError where somebody else changed it meanwhile."""
        if self._text == self._file.text:
            return False
        self._file.replace(self._text)
        return True

    def _add(
        self,
        requirements: Sequence[str],
        listed: Callable[[], RuleSet],
        change: Callable[[str, Sequence[str]], str],
    ) -> tuple[str, ...]:
        before = listed()
        new = [one for one in requirements if not _covered(_rule(one), before)]
        if new:
            self._edit(lambda text: change(text, new))
        return tuple(rule.text for rule in listed().rules[len(before) :])

    def _edit(self, change: Callable[[str], str]) -> None:
        try:
            self._text = change(self._text)
        except ValueError as error:
            raise typer.BadParameter(f"{self.path}: {error}") from None
        self._read()


def agree(question: str, otherwise: Callable[[], None]) -> None:
    """Asks on the terminal. Without one ends with 2, after a no with 1; ``otherwise`` is done before either."""
    if not sys.stdin.isatty():
        otherwise()
        raise typer.BadParameter("nothing was written: say --yes, as there is no terminal to ask on")
    if not typer.confirm(question, err=True):
        otherwise()
        print("wheelkeep: nothing was written", file=sys.stderr)
        raise typer.Exit(1)


def tell(draft: Draft, added: Sequence[str], table: str, *, shown: bool = False) -> None:
    """What was written, for people; ``shown``: what it is was shown before."""
    for one in added if not shown else ():
        print(f"{table} {one}")
    print(
        f"{len(added)} added to {draft.path}"
        if added
        else f"{draft.path} has all of it already: nothing was added"
    )


def _rule(text: str) -> Rule:
    try:
        return read_rule(text, globs=True)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _covered(rule: Rule, listed: RuleSet) -> bool:
    """Whether a rule without a range says as much already."""
    speaking = listed.for_project(ProjectName(rule.name)) if not rule.glob else ()
    return any(not one.specifier for one in speaking)
