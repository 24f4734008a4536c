"""The recorded scenarios of tests/golden, and each of them as sources and indexes of a ``wheelkeep.toml``.

What is recorded is what dnf, apt and conda decided; the files say which versions of them. Nothing here decides.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from packaging.tags import platform_tags

_GOLDEN = Path(__file__).resolve().parents[1] / "golden"
ANY, NATIVE, FOREIGN = "any", "native", "foreign"
TAGS = {ANY: "py3-none-any", NATIVE: f"py3-none-{next(iter(platform_tags()))}", FOREIGN: "py3-none-win_arm32"}
_COST, _PRIORITY = 1000, 99
"""What dnf takes where a repository does not say (D2, D3)."""


class Build(NamedTuple):
    """One build of a name: here one wheel."""

    name: str
    version: str
    arch: str
    depends: bool

    @property
    def filename(self) -> str:
        return f"{self.name.replace('-', '_')}-{self.version}-{TAGS[self.arch]}.whl"


class Kept(NamedTuple):
    """One source of a scenario. ``said`` is what the tool was told of it, in the tool's own words."""

    name: str
    label: str
    """Its name in the configuration: many scenarios share one."""
    builds: tuple[Build, ...]
    said: dict[str, Any]


class Scenario(NamedTuple):
    """Sources in the order in which the tool was told of them, and what it decided: mode, request, builds by name."""

    id: str
    label: str
    tool: str
    sources: tuple[Kept, ...]
    pins: tuple[dict[str, Any], ...]
    options: dict[str, Any]
    decisions: dict[str, dict[str, dict[str, list[str]] | None]]
    visible: dict[str, list[list[Any]]]

    @property
    def by_hand(self) -> bool:
        """Made up by a person for one question; the others are random."""
        return "-random-" not in self.id

    @property
    def names(self) -> list[str]:
        return sorted({build.name for source in self.sources for build in source.builds})

    def builds(self, name: str) -> Iterator[tuple[Kept, Build]]:
        for source in self.sources:
            yield from ((source, build) for build in source.builds if build.name == name)

    def tiers(self) -> list[list[Kept]]:
        """The sources as groups of an index, the best first."""
        if self.tool == "apt":  # its numbers are pins, and of two copies the first written is taken (A7)
            return [[source] for source in self.sources]
        ranks: dict[int, list[Kept]] = {}
        for source in self.sources:
            ranks.setdefault(source.said.get("priority", _PRIORITY), []).append(source)
        return [
            sorted(ranks[rank], key=lambda source: int(source.said.get("cost", _COST)))
            for rank in sorted(ranks)
        ]


def load(tool: str) -> list[Scenario]:
    """All recorded scenarios of a tool."""
    recorded = json.loads((_GOLDEN / f"{tool}.json").read_text())
    return [
        Scenario(
            id=each["id"],
            label=f"s{at}",
            tool=tool,
            sources=tuple(_kept(source, f"s{at}") for source in each["sources"]),
            pins=tuple(each.get("pins", ())),
            options=each.get("options", {}),
            decisions=each["decisions"],
            visible=each.get("visible", {}),
        )
        for at, each in enumerate(recorded["scenarios"])
    ]


def _kept(source: dict[str, Any], label: str) -> Kept:
    builds = []
    for name, listed in source["packages"].items():
        for one in listed:
            told = {"version": one} if isinstance(one, str) else one
            builds.append(Build(name, told["version"], told.get("arch", ANY), bool(told.get("depends"))))
    return Kept(source["name"], f"{label}-{source['name']}", tuple(builds), source)


def index(scenario: Scenario, mode: str) -> str:
    """The name of the scenario's index in a mode."""
    return f"{scenario.label}-{mode}"


def configuration(scenarios: Iterable[Scenario], modes: Sequence[str], folder: Path) -> str:
    """A ``wheelkeep.toml`` with every scenario's sources as folders, and an index for each mode."""
    lines = [f"data = {_toml(str(folder / 'data'))}"]
    for scenario in scenarios:
        for source in scenario.sources:
            lines += [f"[sources.{source.label}]", 'kind = "directory"']
            lines += [f"path = {_toml(str(folder / source.label))}", *_offer(scenario, source)]
        tiers = [[source.label for source in tier] for tier in scenario.tiers()]
        for mode in modes:
            lines += [f"[indexes.{index(scenario, mode)}]", f"sources = {_toml(tiers)}", f'merge = "{mode}"']
            if mode == "pinned":
                lines += [line for stanza in stanzas(scenario) for line in _pin(scenario, mode, stanza)]
    return "\n".join(lines) + "\n"


def _offer(scenario: Scenario, source: Kept) -> list[str]:
    """dnf's includepkgs and excludepkgs."""
    lines = []
    if "includepkgs" in source.said:
        lines.append(f"include = {_toml(_rules(source.said['includepkgs'], scenario))}")
    excluded = [*source.said.get("excludepkgs", ()), *scenario.options.get("excludepkgs", ())]
    if excluded:
        lines.append(f"exclude = {_toml(_rules(excluded, scenario))}")
    return lines


def _rules(globs: Sequence[str], scenario: Scenario) -> list[str]:
    """dnf's globs are on names and on name-version. A glob on names stays one; one on name-version becomes exact
    requirements: ``foo-1*`` means 1.2 and 10.0 alike, which is no range of versions (``foo==1.*`` is 1.2 alone)."""
    rules = []
    for glob in globs:
        if any(fnmatchcase(name, glob) for name in scenario.names):
            rules.append(glob)
            continue
        every = {(build.name, build.version) for source in scenario.sources for build in source.builds}
        meant = sorted((name, version) for name, version in every if fnmatchcase(f"{name}-{version}", glob))
        rules += [f"{name}=={version}" for name, version in meant]
    return rules


def stanzas(scenario: Scenario) -> list[dict[str, Any]]:
    """apt's preferences as ``[[indexes.NAME.pin]]`` stanzas.

    A stanza that means several sources becomes one for each, side by side: the first that matches is the same.
    """
    found: list[dict[str, Any]] = []
    if (target := scenario.options.get("target_release")) is not None:
        # 990 for the target release stands before what the preferences say of the source (A2).
        found += [
            {"source": source.label, "priority": 990}
            for source in scenario.sources
            if target in {_release(source)[letter] for letter in "anv"}
        ]
    for pin in scenario.pins:
        found += _stanza(scenario, pin)
    for source in scenario.sources:
        if source.said["priority"] is not None:
            found.append({"source": source.label, "priority": source.said["priority"]})
    for source in scenario.sources:
        release = source.said.get("release", {})
        if release.get("not_automatic"):
            number = 100 if release.get("but_automatic_upgrades") else 1
            found.append({"source": source.label, "priority": number})
    return found


def _stanza(scenario: Scenario, pin: dict[str, Any]) -> list[dict[str, Any]]:
    packages = _packages(scenario, pin["package"])
    kind, _, what = pin["pin"].partition(" ")
    if kind == "version":
        # Of all packages it does nothing (A3), and here it is refused.
        return [] if packages is None else [{"package": packages, "version": what} | _priority(pin)]
    meant = [source for source in scenario.sources if _means(kind, what, source)]
    named = {} if packages is None else {"package": packages}
    return [named | {"source": source.label} | _priority(pin) for source in meant]


def _packages(scenario: Scenario, text: str) -> list[str] | None:
    """None: all packages. A regular expression becomes the names that it matches."""
    if text == "*":
        return None
    if text.startswith("/"):
        return [name for name in scenario.names if re.search(text.strip("/"), name)]
    return text.split()


def _priority(pin: dict[str, Any]) -> dict[str, int]:
    return {"priority": pin["priority"]}


def _means(kind: str, what: str, source: Kept) -> bool:
    """Whether ``origin "HOST"`` or ``release o=…, a=…`` is the source; its host is its name."""
    if kind == "origin":
        return what.strip('"') == source.name
    if what == "*":
        return True
    told = _release(source)
    asked = (part.strip().partition("=") for part in what.split(","))
    return all(fnmatchcase(told[letter] or "", wanted) for letter, _, wanted in asked)


def _release(source: Kept) -> dict[str, str | None]:
    """The fields of a Release file by apt's letters."""
    told = source.said.get("release", {})
    return {
        "o": told.get("origin", source.name),
        "a": told.get("suite", source.name),
        "l": told.get("label"),
        "n": told.get("codename"),
        "v": told.get("version"),
    }


def _pin(scenario: Scenario, mode: str, stanza: dict[str, Any]) -> list[str]:
    return [
        f"[[indexes.{index(scenario, mode)}.pin]]",
        *(f"{key} = {_toml(value)}" for key, value in stanza.items()),
    ]


def _toml(value: Any) -> str:
    """Text, numbers and lists of them are spelt alike in JSON and TOML."""
    return json.dumps(value)
