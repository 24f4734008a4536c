"""How long it takes to merge a page and to judge it, on one core: prints milliseconds for each mode of merging.

    python bench/merge.py

Four sources have 5,000 files each of one project, ten wheels a version, and the policy has 1,000 requirements and 50
denials. ``copies``: all list the same file names, as mirrors do. ``parted``: each has versions of its own, so that a
blend shows, and judges, all 20,000. Time is that of the processor. Every run is a first look: nothing is remembered
of the run before it.
"""

import gc
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median
from time import process_time

from wheelkeep.core import merge, names, pinned, rules
from wheelkeep.core.gates import AllowGate, Context, DenyGate, HashesGate
from wheelkeep.core.judge import judge
from wheelkeep.core.merge import Merged
from wheelkeep.core.model import File, Found, Page
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.policy import Policy
from wheelkeep.core.rules import RuleSet, read_rule
from wheelkeep.core.settings import MergeMode, Pin

PROJECT = ProjectName("large")
SOURCES = [SourceName(name) for name in ("acme", "wheels", "vendor", "outer")]
FILES, WHEELS = 5_000, 10
REQUIREMENTS, DENIALS = 1_000, 50
RUNS = 9
TARGET = 40.0
"""Milliseconds."""
MODES: tuple[MergeMode, ...] = ("strict", "floor", "pinned", "unsafe-blend")
PINS = (
    Pin(packages=("numpy",), source=SOURCES[2], version="1.26.*", priority=990),
    Pin(packages=("lar*",), version="3.7.*", priority=-1),
    Pin(source=SOURCES[0], priority=900),
    Pin(source=SOURCES[3], priority=100),
)


def found(source: SourceName, major: int) -> Found:
    """A source's page: versions MAJOR.0.0 to MAJOR.499.0."""
    files = []
    for number in range(FILES):
        version = f"{major}.{number // WHEELS}.0"
        filename = f"large-{version}-cp3{number % WHEELS}-cp3{number % WHEELS}-manylinux_2_17_x86_64.whl"
        files.append(
            File(
                filename=filename,
                project=PROJECT,
                kind="wheel",
                version=version,
                source=source,
                url=f"https://files.upstream.example/{filename}",
                sha256=f"{number:064x}",
                size=1_000_000 + number,
                upload_time="2026-01-01T00:00:00.000000Z",
                requires_python=">=3.9",
                metadata=True,
            )
        )
    versions = tuple(dict.fromkeys(file.version for file in files))
    return Found(source=source, page=Page(project=PROJECT, files=tuple(files), versions=versions))


def policy() -> Policy:
    """As a team's would be: most rules are about other projects."""
    allowed = [f"package-{number}>=1,<{number + 2}" for number in range(REQUIREMENTS - 2)]
    denied = [f"bad-{number}<2" for number in range(DENIALS - 2)]
    governed = frozenset(SOURCES)
    return Policy(
        [
            DenyGate(_set([*denied, "large==1.7.0", "large>=3.400,<3.410"]), (), "INC-1", governed),
            AllowGate(_set([*allowed, "large>=1.20", "large*"]), governed),
            HashesGate(required=True, sources=governed),
        ]
    )


def _set(texts: Sequence[str]) -> RuleSet:
    return RuleSet([read_rule(text, globs=True) for text in texts])


def run(mode: MergeMode, groups: Sequence[Sequence[Found]]) -> tuple[float, float, int]:
    """Milliseconds of merging and of judging, and how many files are shown."""
    gates = policy()
    for kept in (names.version, rules._within, pinned._wanted):
        kept.cache_clear()
    gc.collect()
    began = process_time()
    outcome = merge.merge(mode, PROJECT, groups, PINS)
    assert isinstance(outcome, Merged)
    merged = process_time()
    judged = judge(outcome.page, gates, Context(now=datetime.now(UTC)))
    return (merged - began) * 1000, (process_time() - merged) * 1000, len(judged.decisions)


def main() -> None:
    print(f"{'':24} {'shown':>6} {'merge ms':>9} {'judge ms':>9} {'both ms':>9}   target")
    for kind, majors in (("copies", (3, 3, 3, 3)), ("parted", (4, 3, 2, 1))):
        groups = [[found(source, major)] for source, major in zip(SOURCES, majors, strict=True)]
        for mode in MODES:
            runs = [run(mode, groups) for _ in range(RUNS)]
            merging, judging = median(each[0] for each in runs), median(each[1] for each in runs)
            both = median(each[0] + each[1] for each in runs)
            verdict = "" if both < TARGET else "  missed"
            print(
                f"{kind:8} {mode:15} {runs[0][2]:>6} {merging:>9.1f} {judging:>9.1f} {both:>9.1f}"
                f"   < {TARGET:.0f}{verdict}"
            )


if __name__ == "__main__":
    main()
