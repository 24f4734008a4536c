"""Targets: locks, settings, policies, advisories and attestations."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
from packaging.requirements import InvalidRequirement

from wheelkeep.core.advisory import Line
from wheelkeep.core.attestations import read_attestations, read_provenance
from wheelkeep.core.errors import ConfigError, IdentityRefused, WheelkeepError
from wheelkeep.core.expectations import read_expectations
from wheelkeep.core.identity import read_unproven
from wheelkeep.core.licence import read_metadata
from wheelkeep.core.lock import Lock, LockFormat
from wheelkeep.core.lock_set import LockSet
from wheelkeep.core.lockfiles import read_lock
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.past import is_moment, read_moment
from wheelkeep.core.read_advisories import read_osv, read_told
from wheelkeep.core.read_policy import read_policy
from wheelkeep.core.read_settings import read_settings
from wheelkeep.core.requirement import read_requirement
from wheelkeep.core.requirement_lines import decoded, lines
from wheelkeep.core.rewrite_lock import rewrite_lock
from wheelkeep.core.rewritten import Address
from wheelkeep.core.rules import RuleSet, read_rule, read_versions
from wheelkeep.core.upload_rules import Claim
from wheelkeep.core.upload_rules import read_metadata as read_uploaded
from wheelkeep.web.documents import read_info

DEMO = ProjectName("demo")
FILE = "demo-1.0-py3-none-any.whl"
SHA256 = "0" * 64
CLAIM = Claim(
    project=DEMO, version="1.0", kind="wheel", filename=FILE, digests={}, attestations=None, problems=()
)


def _lock(name: LockFormat, body: bytes) -> None:
    def opened(path: str) -> bytes:
        if path != name:
            raise FileNotFoundError(2, "No such file or directory")
        return body

    try:
        lock = read_lock(name, opened)
    except ConfigError as error:
        assert error.mistakes and all(mistake.says for mistake in error.mistakes)
        return
    LockSet([(name, lock)])
    try:
        text = body.decode()
        written = rewrite_lock(lock, text, Address("https://keep.example/main")).text
    except (ConfigError, UnicodeDecodeError):
        return
    # Whatever the addresses are, it locks the same files.
    again = read_lock(name, lambda _: written.encode())
    assert _meaning(again) == _meaning(lock)


def _meaning(lock: Lock) -> list[object]:
    return [
        (entry.project, entry.version, [(file.sha256, file.digests) for file in entry.files])
        for entry in lock.entries
    ]


def lock_requirements(body: bytes) -> None:
    """requirements.txt."""
    _lock("requirements.txt", body)
    try:
        told = list(lines(decoded(body)))
    except ValueError:
        return
    assert all(line.number >= 1 for line in told)


def lock_pylock(body: bytes) -> None:
    """pylock.toml (PEP 751)."""
    _lock("pylock.toml", body)


def lock_uv(body: bytes) -> None:
    """uv.lock."""
    _lock("uv.lock", body)


def lock_poetry(body: bytes) -> None:
    """poetry.lock."""
    _lock("poetry.lock", body)


def lock_pdm(body: bytes) -> None:
    """pdm.lock."""
    _lock("pdm.lock", body)


def lock_pipfile(body: bytes) -> None:
    """Pipfile.lock."""
    _lock("Pipfile.lock", body)


def policy(body: bytes) -> None:
    """policy.toml."""
    text = body.decode("utf-8", "replace")
    try:
        read_policy(text, file="policy.toml", sources={SourceName("outer"): True, SourceName("own"): False})
    except ConfigError as error:
        assert error.mistakes
        return


def settings(body: bytes) -> None:
    """wheelkeep.toml."""
    text = body.decode("utf-8", "replace")
    try:
        read_settings(
            text,
            file="wheelkeep.toml",
            base=Path("/nowhere"),
            secret=_secret,
            pypi_url="https://x.example/simple/",
        )
    except ConfigError as error:
        assert error.mistakes


def _secret(reference: str) -> str:
    raise KeyError(reference)


def expectations(body: bytes) -> None:
    """What a policy is expected to do."""
    try:
        read_expectations(body.decode("utf-8", "replace"), file="expectations")
    except ConfigError as error:
        assert error.mistakes


def osv(body: bytes) -> None:
    """An OSV record, and the list of advisories in the legacy JSON."""
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    read_told(told, DEMO)
    try:
        record = read_osv(told)
    except ValueError:
        return
    assert record.modified.tzinfo is not None
    for advisory in record.advisories:
        assert advisory.summary.isprintable() and advisory.id.isprintable()
        Line(["1.0", "2.0"]).affected(advisory)


def attestations(body: bytes) -> None:
    """Attestations of an upload, and a provenance (PEP 740)."""
    told, problems = read_attestations(body.decode("utf-8", "replace"), FILE, SHA256)
    assert isinstance(told, list) and all(isinstance(one, str) for one in problems)
    try:
        read_provenance(body)
    except (ValueError, WheelkeepError):
        return


def identity(body: bytes) -> None:
    """An identity token of a CI service, before anything of it is proven (RFC 7519)."""
    try:
        read_unproven(body.decode("utf-8", "replace"))
    except IdentityRefused as error:
        assert error.reason


def requirement(body: bytes) -> None:
    """A requirement of a policy, a command, an upload or a lock."""
    text = body.decode("utf-8", "replace")
    for read in (read_rule, partial(read_rule, globs=True), partial(read_versions, project=DEMO)):
        try:
            rule = read(text)
        except ValueError:
            continue
        RuleSet([rule]).match(DEMO, "1.0")
    try:
        told = read_requirement(text)
    except InvalidRequirement:
        return
    told.specifier.contains("1.0")


def moments(body: bytes) -> None:
    """The date or moment behind an index's ``@``."""
    text = body.decode("utf-8", "replace")
    now = datetime(2026, 11, 1, tzinfo=UTC)
    try:
        moment = read_moment(text, now)
    except ValueError:
        return
    assert moment <= now and is_moment(text)


def metadata(body: bytes) -> None:
    """Core metadata, read for its licence, for the legacy JSON, and against an upload's form."""
    read_metadata(body)
    read_info(body)
    described, problems = read_uploaded(body, CLAIM)
    assert problems or described.requires_python is None or len(described.requires_python) <= 1000
