"""What ``build`` tells: beforehand which names it takes, while it runs what is done, and the whole at its end."""

import sys
from collections.abc import Sequence

from msgspec import Struct

from wheelkeep.core.built import Built, Material
from wheelkeep.core.model import File
from wheelkeep.core.names import SourceName
from wheelkeep.index.build_plan import TakesOver
from wheelkeep.index.build_run import Finished
from wheelkeep.index.needed import Lacking

_MOST_NAMED = 5


class Wheel(Struct, frozen=True, kw_only=True):
    """One wheel in ``build --json``."""

    build: str
    """The build's id."""
    project: str
    version: str
    sdist: str
    sdist_sha256: str
    filename: str
    sha256: str
    reproducible: str
    differences: tuple[str, ...]
    requirements: tuple[Material, ...]
    """What the build fetched."""
    before: bool
    """It was built by an earlier run."""
    published: str
    """``new``, ``there`` or ``refused``."""
    why: tuple[str, ...]
    """Where it was refused."""


class Unbuilt(Struct, frozen=True, kw_only=True):
    """One sdist of which there is no wheel."""

    sdist: str
    why: str
    said: str


class Report(Struct, kw_only=True):
    """What ``build --json`` prints."""

    index: str
    """As it was named: also ``main@2026-11-01``."""
    into: SourceName
    python: str
    platform: str
    dry_run: bool
    ready: int
    """Versions that need no build."""
    wanted: list[str]
    """The sdists to build."""
    built: list[Wheel] = []
    failed: list[Unbuilt] = []
    lacking: Sequence[Lacking]
    takes_over: list[TakesOver]

    @property
    def good(self) -> bool:
        """Whether all that was asked for is there."""
        refused = any(wheel.published == "refused" for wheel in self.built)
        return not (self.failed or self.lacking or refused)

    def add(self, done: Finished) -> None:
        """One sdist more is done."""
        line = f"{len(self.built) + len(self.failed) + 1} of {len(self.wanted)}: {done.sdist.filename}"
        if done.built is None:
            failed = done.failed
            why = failed.why if failed is not None else "; ".join(done.refused)
            said = failed.said if failed is not None else ""
            self.failed.append(Unbuilt(sdist=done.sdist.filename, why=why, said=said))
            print(f"wheelkeep: {line}: not built: {why}", file=sys.stderr)
            return
        self.built.append(_wheel(done, done.built))
        how = "was built before" if done.before else "built"
        print(f"wheelkeep: {line}: {how}", file=sys.stderr)


def begin(report: Report) -> None:
    """What somebody may want to stop before it begins."""
    for one in report.takes_over:
        print(f"wheelkeep: warning: {_takes(one, report.into)}", file=sys.stderr)
    if not report.dry_run and report.wanted:
        count = len(report.wanted)
        words = f"{count} sdist{'s' * (count != 1)} to build, by {report.python}"
        print(f"wheelkeep: {words}; {report.ready} versions need none", file=sys.stderr)


def say_begun(sdist: File) -> None:
    """One build begins; it may take a while."""
    print(f"wheelkeep: building {sdist.filename}", file=sys.stderr)


def tell(report: Report) -> None:
    """The whole, for people."""
    for lacking in report.lacking:
        print(f"not to be had: {lacking.what}: {lacking.why}")
    for failed in report.failed:
        print(f"not built: {failed.sdist}: {failed.why}")
        for line in failed.said.splitlines():
            print(f"    {line}")
    if report.dry_run:
        for name in report.wanted:
            print(f"to build: {name}")
    for wheel in report.built:
        _tell(wheel, report.into)
    if not (report.wanted or report.lacking):
        print(f"nothing to build: {report.ready} versions have a wheel that {report.python} can use")


def _tell(wheel: Wheel, into: SourceName) -> None:
    if wheel.published == "refused":
        print(f"not published: {wheel.filename}: {'; '.join(wheel.why)}")
    else:
        how = "published into" if wheel.published == "new" else "is there already in"
        print(f"{wheel.filename}: {how} {into}, {_REPRODUCIBLE[wheel.reproducible]}; {_with(wheel)}")
    for one in wheel.differences:
        print(f"    {one}")


_REPRODUCIBLE = {
    "yes": "reproducible",
    "no": "NOT reproducible",
    "untold": "built once and compared with nothing",
}


def _with(wheel: Wheel) -> str:
    names = [one.filename for one in wheel.requirements]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return (
        f"built with {', '.join(names[:_MOST_NAMED])}{more}" if names else "built with nothing from the index"
    )


def _wheel(done: Finished, built: Built) -> Wheel:
    return Wheel(
        build=built.id,
        project=built.sdist.project,
        version=built.sdist.version,
        sdist=built.sdist.filename,
        sdist_sha256=built.sdist.sha256,
        filename=built.filename,
        sha256=built.sha256,
        reproducible=built.reproducible,
        differences=built.differences,
        requirements=built.requirements,
        before=done.before,
        published="refused" if done.refused else "there" if done.there else "new",
        why=done.refused,
    )


def _takes(one: TakesOver, into: SourceName) -> str:
    others = ", ".join(one.sources)
    return (
        f"once {into} has {one.project}, the index {one.index} ({one.merge}) shows no more of it from {others} than "
        f'that leaves. To have both, let them share a place: sources = [["{into}", "{one.sources[0]}"]]'
    )
