"""Files, pages, answers and policies as the core knows them, made in memory: what a test does not name is ordinary."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

from wheelkeep.core import names
from wheelkeep.core.gates import AllowGate, DenyGate, HashesGate
from wheelkeep.core.lock import Lock, Locked, LockedFile
from wheelkeep.core.lock_set import NO_LOCKS, LockSet
from wheelkeep.core.model import File, Found, Page, Status
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.rules import RuleSet, read_rule
from wheelkeep.core.verdict import Waiver

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DEMO = ProjectName("demo")
FAR = date(2099, 12, 31)


def later(**passed: float) -> datetime:
    """The moment so much after NOW."""
    return NOW + timedelta(**passed)


def sha(text: str) -> str:
    """A sha256 that stands for some bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def file(filename: str = "demo-1.0-py3-none-any.whl", *, source: str = "pypi", **told: Any) -> File:
    """A file as its page tells it; without ``sha256`` that of its name and source, None for no hash."""
    owner = names.owner_of(filename)
    assert owner is not None
    read = names.filename(filename, owner)
    ordinary = {
        "url": f"https://files.upstream.example/{filename}",
        "sha256": sha(f"{source}/{filename}"),
    }
    return File(
        filename=filename,
        project=owner,
        kind=read.kind,
        version=read.version,
        source=SourceName(source),
        **(ordinary | told),
    )


def versions(*told: str, project: str = "demo", source: str = "pypi") -> list[File]:
    """One wheel of each version."""
    return [file(f"{project}-{version}-py3-none-any.whl", source=source) for version in told]


def page(*files: File, project: str = "demo", told: tuple[str, ...] = (), status: str | None = None) -> Page:
    return Page(
        project=ProjectName(project),
        files=files,
        versions=told,
        status=Status(status) if status is not None else None,  # type: ignore[arg-type]
    )


def found(source: str, *told: str | File, status: str | None = None, **more: Any) -> Found:
    """A source's answer: versions of demo, or whole files."""
    files = [one if isinstance(one, File) else versions(one, source=source)[0] for one in told]
    return Found(source=SourceName(source), page=page(*files, status=status), **more)


def rules(*texts: str) -> RuleSet:
    return RuleSet([read_rule(text, globs=True) for text in texts])


def governed(*sources: str) -> frozenset[SourceName]:
    return frozenset(SourceName(source) for source in sources or ("pypi",))


def locks(*files: File | Locked, name: str = "uv.lock") -> LockSet:
    """One lock with exactly these files, or with whole entries."""
    entries = [
        one
        if isinstance(one, Locked)
        else Locked(project=one.project, version=one.version, files=(LockedFile(sha256=one.sha256),))
        for one in files
    ]
    return LockSet([(name, Lock(path=name, format="uv.lock", entries=tuple(entries), read=(name,)))])


def allow(*texts: str, sources: tuple[str, ...] = (), locked: LockSet = NO_LOCKS) -> AllowGate:
    return AllowGate(rules(*texts), governed(*sources), locked)


def deny(
    *texts: str, hashes: tuple[str, ...] = (), reason: str | None = None, sources: tuple[str, ...] = ()
) -> DenyGate:
    return DenyGate(rules(*texts), hashes, reason, governed(*sources))


def hashes(*, required: bool = True, sources: tuple[str, ...] = ()) -> HashesGate:
    return HashesGate(required=required, sources=governed(*sources))


def waiver(package: str, *gates: str, until: date = FAR) -> Waiver:
    return Waiver(package=package, gates=gates, reason="CVE-2026-1", by="security@acme.example", until=until)
