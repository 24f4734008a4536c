"""One advisory about one project: which versions it means, how bad it is, and where it is mended."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from msgspec import Struct
from packaging.version import Version

from wheelkeep.core import names
from wheelkeep.core.names import ProjectName


def is_malware(identity: str) -> bool:
    """Whether a record's id says that the package itself is the attack (the ``MAL-`` records of OSV)."""
    return identity.startswith("MAL-")


class Span(Struct, frozen=True, omit_defaults=True):
    """A stretch of versions in PEP 440's order; each bound is a version in normal form, or open."""

    since: str | None = None
    """The first that is affected."""
    before: str | None = None
    """The first that is not affected any more."""
    upto: str | None = None
    """The last that is affected."""


class Advisory(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one record says of one project."""

    id: str
    project: ProjectName
    aliases: tuple[str, ...] = ()
    severity: str | None = None
    """A step of ``severity.RANKS``; None: not told, which counts as critical."""
    summary: str = ""
    versions: tuple[str, ...] = ()
    """Affected ones that are named, in normal form."""
    spans: tuple[Span, ...] = ()
    fixed: tuple[str, ...] = ()
    """Versions in which it is mended, in normal form."""
    cut: bool = False
    """It names more versions than are read: whether it means one that is not among these cannot be told."""

    @property
    def malware(self) -> bool:
        """Whether the package itself is the attack, by any of the record's names."""
        return any(map(is_malware, (self.id, *self.aliases)))


class Line:
    """Versions in order, so that a span is two bisections and no comparison a version."""

    def __init__(self, texts: Sequence[str]) -> None:
        """``texts``: versions in normal form, each once."""
        pairs = sorted((names.version(text), text) for text in set(texts))
        self.texts = [text for _, text in pairs]
        self._versions = [version for version, _ in pairs]
        # A local version (1.0+build, PEP 440) is after its public one, and made from the same source.
        publics: dict[str, list[str]] = {}
        for version, text in pairs:
            if version.local is not None:
                publics.setdefault(version.public, []).append(text)
        self._locals = publics
        self._there = set(self.texts)

    def has(self, text: str) -> bool:
        return text in self._there

    def affected(self, advisory: Advisory) -> set[str]:
        """Which of the versions an advisory means, by name or by span (OSV 1.6, "Evaluation")."""
        found: set[str] = set()
        for text in advisory.versions:
            if text in self._there:
                found.add(text)
            found.update(self._locals.get(text, ()))
        for span in advisory.spans:
            found.update(self._within(span))
        return found

    def _within(self, span: Span) -> list[str]:
        start = 0 if span.since is None else bisect_left(self._versions, names.version(span.since))
        end = len(self._versions)
        if span.before is not None:
            end = bisect_left(self._versions, names.version(span.before))
        if span.upto is not None:
            end = min(end, self._end_of(names.version(span.upto)))
        return self.texts[start:end]

    def _end_of(self, last: Version) -> int:
        """Where the versions after the last affected one begin; its local versions are still it."""
        at = bisect_right(self._versions, last)
        while at < len(self._versions) and self._versions[at].public == last.public:
            at += 1
        return at

    def after(self, span: Span) -> str | None:
        """The first of the versions after a span that tells its last affected one."""
        if span.upto is None:
            return None
        at = self._end_of(names.version(span.upto))
        return self.texts[at] if at < len(self.texts) else None

    def unmended(self, fixed: Sequence[str]) -> list[str]:
        """The versions that are not ``past`` their fix, at a cost that hardly grows with the number of fixes."""
        fixes = sorted({names.version(text) for text in fixed})
        if not fixes:
            return self.texts
        end = bisect_left(self._versions, fixes[-1])
        if len(fixes) == 1:
            return self.texts[:end]
        first: dict[tuple[int, tuple[int, ...]], Version] = {}
        for fix in fixes:
            first.setdefault((fix.epoch, _series(fix)), fix)
        lengths = {len(series) for _, series in first}

        def mended(version: Version) -> bool:
            return any(
                (fix := first.get((version.epoch, version.release[:length]))) is not None and version >= fix
                for length in lengths
            )

        versions = zip(self._versions[:end], self.texts, strict=False)
        return [text for version, text in versions if not mended(version)]


def past(version: str, fixed: Sequence[str]) -> bool:
    """Whether a version is as new as its fix, where only the fixes are told and not where the trouble began.

    Newer than every fix is past it. Between the fixes of several series only a version of a fix's own series is: with
    fixes in 1.5.3 and 2.0.1, 1.5.4 has one and 1.6 may have branched off before it.
    """
    if not fixed:
        return False
    parsed = names.version(version)
    fixes = [names.version(text) for text in fixed]
    return parsed >= max(fixes) or any(parsed >= fix and _same_series(parsed, fix) for fix in fixes)


def _same_series(version: Version, fix: Version) -> bool:
    series = _series(fix)
    return version.epoch == fix.epoch and version.release[: len(series)] == series


def _series(fix: Version) -> tuple[int, ...]:
    return fix.release[:-1] or fix.release
