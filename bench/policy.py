"""How long a large policy takes to judge a large page, on one core: prints milliseconds.

    python bench/policy.py

The page has 5,000 files of one project, ten wheels a version. The policy has 10,000 requirements, 1,000 denials and
200 waivers, read from its text; some are about the project. ``globs``: a tenth of the rules are globs. ``waived``: the
project is denied, and all waivers are about it. ``locks``: two locks with 5,000 hashes each, one of which has half of
the page. Cold: nothing is remembered of any judging before, not of the version of one file. Warm is the page that is
in memory: no gate is asked. Time is that of the processor.
"""

import gc
from datetime import UTC, datetime
from statistics import median
from time import process_time

from merge import PROJECT, SOURCES, found

from wheelkeep.core import names, rules
from wheelkeep.core.gates import Context
from wheelkeep.core.judge import judge
from wheelkeep.core.lock import Lock, Locked, LockedFile
from wheelkeep.core.lock_set import NO_LOCKS, LockSet
from wheelkeep.core.model import Page
from wheelkeep.core.names import ProjectName
from wheelkeep.core.policy import Policy, build
from wheelkeep.core.read_policy import read_policy

REQUIREMENTS, DENIALS, WAIVERS, LOCKED = 10_000, 1_000, 200, 5_000
RUNS = 9
TARGET = 30.0
"""Milliseconds."""


def text(*, globs: bool = False, waived: bool = False) -> str:
    """A policy as a large company's would be: nearly all of it is about other projects."""

    def rule(number: int) -> str:
        return f"team-{number}-*" if globs and number % 10 == 0 else f"package-{number}>=1,<{number + 2}"

    allowed = [
        *(rule(number) for number in range(REQUIREMENTS - 3)),
        "large>=1.20,<3.300",
        "large>=3.350",
        "large<0.5",
    ]
    denied = [f"bad-{number}<2" for number in range(DENIALS - 2)]
    denied += ["large==3.7.0", "large>=3.400,<3.410"]
    if waived:
        denied[-1] = "large"
    about = WAIVERS if waived else 20
    lifted = [f"bad-{number}==1.0" for number in range(WAIVERS - about)]
    lifted += [f"large==3.{400 + number}.0" for number in range(about)]
    waivers = "".join(
        f'[[waiver]]\npackage = "{package}"\ngates = ["deny"]\nreason = "r"\nby = "b"\nuntil = 2999-12-31\n'
        for package in lifted
    )
    return f"[allow]\npackages = {allowed}\n[deny]\npackages = {denied}\n[hashes]\nrequired = true\n{waivers}"


def locks(page: Page) -> LockSet:
    """Half of the page in one, and other projects beside."""
    own = tuple(
        Locked(project=PROJECT, version=file.version, files=(LockedFile(sha256=file.sha256),))
        for file in page.files[::2]
    )
    others = tuple(
        Locked(project=ProjectName(f"p{number}"), version="1.0", files=(LockedFile(sha256=f"{number:064x}"),))
        for number in range(LOCKED)
    )
    told = [("one.lock", others), ("two.lock", own + others[len(own) :])]
    return LockSet(
        (name, Lock(path=name, format="uv.lock", entries=each, read=(name,))) for name, each in told
    )


def run(written: str, locked: LockSet, page: Page) -> tuple[float, float, int]:
    """Milliseconds of reading and of judging, and how many files are admitted."""
    for kept in (names.version, rules._within, rules._set):
        kept.cache_clear()
    gc.collect()
    began = process_time()
    policy: Policy = build(
        read_policy(written, file="policy.toml", sources=dict.fromkeys(SOURCES, True)),
        remote=frozenset(SOURCES),
        locks=locked,
    )
    for kept in (names.version, rules._within, rules._set):
        kept.cache_clear()
    gc.collect()
    read = process_time()
    judged = judge(page, policy, Context(now=datetime.now(UTC)))
    admitted = sum(decision.admitted for decision in judged.decisions)
    return (read - began) * 1000, (process_time() - read) * 1000, admitted


def main() -> None:
    page = found(SOURCES[0], 3).page
    print(f"{'':16} {'admitted':>8} {'read ms':>9} {'judge ms':>9}   target")
    for kind, written, locked in (
        ("names", text(), NO_LOCKS),
        ("globs", text(globs=True), NO_LOCKS),
        ("waived", text(waived=True), NO_LOCKS),
        ("locks", text(), locks(page)),
    ):
        runs = [run(written, locked, page) for _ in range(RUNS)]
        reading, judging = median(each[0] for each in runs), median(each[1] for each in runs)
        verdict = "" if judging < TARGET else "  missed"
        print(f"{kind:16} {runs[0][2]:>8} {reading:>9.1f} {judging:>9.1f}   < {TARGET:.0f}{verdict}")


if __name__ == "__main__":
    main()
