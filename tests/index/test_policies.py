"""A policy is read again when its file changes, and a broken one never takes the place of a good one."""

import asyncio
import os
from pathlib import Path

import pytest

from fakes.made import NOW, file, sha
from wheelkeep.core.errors import ConfigError
from wheelkeep.core.gates import Context
from wheelkeep.core.names import SourceName
from wheelkeep.core.policy import decide
from wheelkeep.index import policies as module
from wheelkeep.index.policies import PolicyHolder

SOURCES = {SourceName("acme"): False, SourceName("pypi"): True}
DENY = '[deny]\npackages = ["demo"]\n'
ALLOW = '[allow]\npackages = ["other"]\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "policy.toml"
    made.write_text(DENY)
    return made


def write(path: Path, text: str) -> None:
    """Writes it, with a time that differs however quick the test is."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text)
    os.utime(path, ns=(before + 10**9, before + 10**9))


def against(holder: PolicyHolder) -> str:
    decision = decide(holder.current, file(), Context(now=NOW))
    return decision.against.code if decision.against is not None else "admitted"


def settled(holder: PolicyHolder) -> bool:
    """Two looks: a change counts once it stands."""
    return not holder.refresh() and holder.refresh()


def test_the_policy_of_a_file(path: Path) -> None:
    holder = PolicyHolder(path, SOURCES)
    assert (against(holder), holder.trouble) == ("deny-package", None)
    assert not holder.refresh()


def test_no_file_is_no_gate_but_what_always_holds() -> None:
    holder = PolicyHolder(None, SOURCES)
    assert against(holder) == "admitted"
    assert [(gate.name, gate.sources) for gate in holder.current.gates] == [
        ("advisories", {"pypi"}),
        ("hashes", {"pypi"}),
    ]
    assert not settled(holder)


def test_what_cannot_be_switched_off_is_warned_of(path: Path) -> None:
    write(path, "[hashes]\nfirst_seen = true\n")
    assert PolicyHolder(path, SOURCES).warnings == ()
    write(path, "[hashes]\nfirst_seen = false\n")
    (warning,) = PolicyHolder(path, SOURCES).warnings
    assert (warning.line, warning.key) == (2, "hashes.first_seen")
    assert "cannot be switched off" in warning.says


def test_a_change_takes_effect_once_it_stands(path: Path) -> None:
    holder = PolicyHolder(path, SOURCES)
    write(path, ALLOW)
    assert not holder.refresh()
    assert against(holder) == "deny-package"
    assert holder.refresh()
    assert against(holder) == "allow-unlisted"
    assert not holder.refresh()


def test_a_file_that_is_still_being_written_is_left_alone(path: Path) -> None:
    """An empty file, and most halves of one, are policies too: laxer ones."""
    whole = ALLOW + DENY
    write(path, whole)
    holder = PolicyHolder(path, SOURCES)
    for end in (0, 5, len(ALLOW), len(whole)):
        write(path, whole[:end])
        assert not holder.refresh()
        assert against(holder) == "deny-package"
    assert holder.refresh()
    assert against(holder) == "deny-package"


@pytest.mark.parametrize("broken", ["[deny", '[deny]\npackages = ["!"]\n', '[denny]\npackages = ["demo"]\n'])
def test_a_broken_edit_keeps_the_old_policy(path: Path, broken: str) -> None:
    holder = PolicyHolder(path, SOURCES)
    write(path, broken)
    assert not settled(holder)
    assert against(holder) == "deny-package"
    assert holder.trouble is not None
    assert str(path) in holder.trouble
    write(path, ALLOW)
    assert settled(holder)
    assert (against(holder), holder.trouble) == ("allow-unlisted", None)


def test_a_file_that_goes_away_keeps_the_old_policy(path: Path) -> None:
    holder = PolicyHolder(path, SOURCES)
    path.unlink()
    assert not settled(holder)
    assert against(holder) == "deny-package"
    assert holder.trouble is not None
    path.mkdir()
    assert not settled(holder)
    assert against(holder) == "deny-package"
    path.rmdir()
    write(path, ALLOW)
    assert settled(holder)
    assert (against(holder), holder.trouble) == ("allow-unlisted", None)


def test_a_file_that_takes_the_other_s_place_is_seen(path: Path) -> None:
    holder = PolicyHolder(path, SOURCES)
    state = path.stat()
    other = path.with_name("new.toml")
    other.write_text(DENY.replace("demo", "omed"))
    os.utime(other, ns=(state.st_mtime_ns, state.st_mtime_ns))
    other.rename(path)
    assert settled(holder)
    assert against(holder) == "admitted"


@pytest.mark.parametrize("text", ["[deny", "\x00"])
def test_there_is_no_start_with_a_broken_policy(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(ConfigError):
        PolicyHolder(path, SOURCES)


def test_nor_without_the_file_or_with_what_is_no_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not text in UTF-8"):
        PolicyHolder(path, SOURCES)
    path.unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        PolicyHolder(path, SOURCES)


async def test_watching_tells_of_changes_that_took_effect(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK", 0.005)
    holder = PolicyHolder(path, SOURCES)
    told: list[str] = []
    watching = asyncio.create_task(holder.watch(lambda: told.append(against(holder))))
    write(path, "[deny")
    while holder.trouble is None:
        await asyncio.sleep(0.001)
    write(path, ALLOW)
    while not told:
        await asyncio.sleep(0.001)
    assert told == ["allow-unlisted"]
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await PolicyHolder(None, SOURCES).watch(lambda: told.append("never"))
    assert len(told) == 1


LOCKED = '[allow]\nlocks = ["locks/requirements.txt"]\n'
PIN = f"demo==1.0 --hash=sha256:{file().sha256}\n"


@pytest.fixture
def lock(path: Path) -> Path:
    """A lock beside the policy that names it, with an include."""
    made = path.parent / "locks" / "requirements.txt"
    made.parent.mkdir()
    made.write_text("-r more.txt\n")
    (made.parent / "more.txt").write_text(PIN)
    path.write_text(LOCKED)
    return made


def test_locks_are_relative_to_their_policy(path: Path, lock: Path) -> None:
    holder = PolicyHolder(path, SOURCES)
    assert (against(holder), holder.warnings) == ("admitted", ())
    path.write_text(f'[allow]\nlocks = ["{lock}"]\n')
    holder = PolicyHolder(path, SOURCES)
    verdict = holder.current.gates[0].verdict(file(), Context(now=NOW))
    assert verdict.sentence == "one of the files of requirements.txt"


@pytest.mark.parametrize("which", ["requirements.txt", "more.txt"])
def test_a_lock_is_read_again_when_it_or_its_include_changes(path: Path, lock: Path, which: str) -> None:
    holder = PolicyHolder(path, SOURCES)
    write(lock.with_name(which), PIN.replace(str(file().sha256), sha("other")))
    assert against(holder) == "admitted"
    assert settled(holder)
    assert against(holder) == "allow-lock"
    assert not settled(holder)


@pytest.mark.parametrize("text", ["demo=1.0", "-r gone.txt", "\xff", None])
def test_a_broken_or_absent_lock_keeps_the_old_policy(path: Path, lock: Path, text: str | None) -> None:
    holder = PolicyHolder(path, SOURCES)
    if text is None:
        lock.unlink()
    else:
        write(lock, text)
    assert not settled(holder)
    assert (against(holder), str(lock) in (holder.trouble or "")) == ("admitted", True)
    write(lock, "other==1.0\n")
    assert settled(holder)
    assert (against(holder), holder.trouble) == ("allow-unlisted", None)
    assert [str(warning) for warning in holder.warnings] == [
        f"{lock}:1: other 1.0 has no hash, so no file of it is admitted: lock it anew with hashes"
    ]


def test_a_lock_that_an_edit_names_is_watched_from_then_on(path: Path, lock: Path) -> None:
    write(path, ALLOW)
    holder = PolicyHolder(path, SOURCES)
    write(lock, "!!")
    assert not settled(holder)
    write(path, LOCKED)
    assert not settled(holder)
    assert against(holder) == "allow-unlisted"
    write(lock, PIN)
    assert settled(holder)
    assert against(holder) == "admitted"


def test_there_is_no_start_without_the_locks(path: Path, lock: Path) -> None:
    lock.unlink()
    with pytest.raises(
        ConfigError, match=r"requirements\.txt: the lock cannot be read: No such file"
    ) as absent:
        PolicyHolder(path, SOURCES)
    # Where it is named, since there is nothing else to be shown.
    (mistake,) = absent.value.mistakes
    assert (mistake.file, mistake.line, mistake.key) == (str(path), 2, "allow.locks[0]")
    lock.mkdir()
    with pytest.raises(ConfigError, match="it is not a file"):
        PolicyHolder(path, SOURCES)
    path.write_text('[allow]\nlocks = ["a\\nb"]\n')
    with pytest.raises(ConfigError, match=r"allow\.locks\[0\]: is not a path"):
        PolicyHolder(path, SOURCES)
