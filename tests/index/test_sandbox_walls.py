"""Where no sandbox can be had, and what is said then. bubblewrap is a script here."""

import os
import sys
from pathlib import Path

import pytest

from wheelkeep.index import sandbox_walls as module
from wheelkeep.index.sandbox import NoSandbox, ready
from wheelkeep.index.sandbox_walls import Walls, arguments, find_walls, make_room, no_sandbox

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there are sandboxes on Linux alone")


@pytest.fixture
def bwrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of that name, first on PATH, that says it is new enough and then fails."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return program(
        folder / "bwrap", "bubblewrap 0.8.0", "bwrap: Creating new namespace failed: Operation not permitted"
    )


def program(path: Path, version: str, failure: str) -> Path:
    path.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "{version}" && exit\necho "{failure}" >&2\nexit 1\n'
    )
    path.chmod(0o755)
    return path


async def test_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoSandbox, match="install the package bubblewrap; --unsafe-no-sandbox runs"):
        await ready()


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("bubblewrap 0.7.9", "is 0.7, and the sandbox needs bubblewrap 0.8 or newer"),
        ("", "of an unknown version"),
    ],
)
def test_one_that_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, why: str) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    program(tmp_path / "bwrap", version, "")
    with pytest.raises(NoSandbox, match=why):
        find_walls()


def test_one_that_cannot_be_run(bwrap: Path) -> None:
    bwrap.write_text("\x7fELF, but not much of one")
    with pytest.raises(NoSandbox, match="cannot be run"):
        find_walls()


def test_newer_ones_are_welcome(bwrap: Path) -> None:
    program(bwrap, "bubblewrap 1.0.0", "")
    assert find_walls().bwrap == str(bwrap)


def test_other_machines(bwrap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.platform, "release", lambda: "5.2.0-generic")
    with pytest.raises(NoSandbox, match=r"needs Linux 5\.3"):
        find_walls()
    monkeypatch.setattr(module.platform, "machine", lambda: "sparc")
    with pytest.raises(NoSandbox, match="x86_64 and aarch64 alone"):
        find_walls()
    monkeypatch.setattr(module.sys, "platform", "darwin")
    with pytest.raises(NoSandbox, match="on Linux alone, and this is darwin"):
        find_walls()


async def test_what_forbids_it_is_told(bwrap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.os, "geteuid", lambda: 0)
    with pytest.raises(
        NoSandbox, match=r"as in a container: give it CAP_SYS_ADMIN.*\(bwrap said: bwrap: Creating"
    ):
        await ready()


@pytest.mark.parametrize(
    ("said", "closed", "why"),
    [
        (
            "bwrap: No permissions to create new namespace",
            "user/max_user_namespaces",
            "user.max_user_namespaces is 0",
        ),
        (
            "bwrap: setting up uid map: Permission denied",
            "kernel/apparmor_restrict_unprivileged_userns",
            "no AppArmor profile lets bwrap have them",
        ),
        ("bwrap: No permissions to create new namespace", "", "forbidden here, as in a container"),
        (
            "bwrap: Can't mount proc on /newroot/proc: Operation not permitted",
            "",
            "no /proc may be mounted here",
        ),
        ("bwrap: execvp x: No such file", "", "could make no sandbox"),
        ("", "", "it said nothing"),
    ],
)
def test_what_forbids_it_to_a_plain_user(
    monkeypatch: pytest.MonkeyPatch, said: str, closed: str, why: str
) -> None:
    values = {name: value for name, (value, _) in module._SETTINGS.items() if name == closed}
    monkeypatch.setattr(module, "_setting", lambda name: values.get(name, "2"))
    monkeypatch.setattr(module.os, "geteuid", lambda: 1000)
    assert why in str(no_sandbox(said))


def test_a_setting_that_is_not_there_forbids_nothing() -> None:
    assert module._setting("kernel/nothing_of_the_kind") == ""


@pytest.mark.parametrize(
    ("told", "low", "high"),
    [
        ("0 0 4294967295", 1_900_000_000, 1_900_000_000 + (1 << 24)),
        ("0 1000 1\n1 100000 65536", 60_000, 65_535),
    ],
)
def test_a_user_whom_nobody_is(tmp_path: Path, told: str, low: int, high: int) -> None:
    (tmp_path / "map").write_text(told)
    assert low <= module._unused_user(tmp_path / "map") < high


def test_a_root_that_is_alone(tmp_path: Path) -> None:
    (tmp_path / "map").write_text("0 1000 1\n")
    with pytest.raises(NoSandbox, match="run this as a plain user"):
        module._unused_user(tmp_path / "map")


@pytest.mark.parametrize("opened", [Path("/"), Path("~").expanduser()])
def test_what_holds_the_home_folder_is_not_opened(tmp_path: Path, opened: Path) -> None:
    with pytest.raises(NoSandbox, match="home folder"):
        make_room(tmp_path, {}, [opened], walls=Walls("bwrap", None), socket=None, disk=1)


def test_links_and_what_they_lead_to_are_both_there(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    link = tmp_path / "link"
    link.symlink_to(real)
    folder = tmp_path / "room"
    folder.mkdir()
    walls = Walls("bwrap", None)
    words = arguments(walls, make_room(folder, {}, [link], walls=walls, socket=None, disk=1))
    bound = [(words[at + 1], words[at + 2]) for at, word in enumerate(words) if word == "--ro-bind"]
    assert {(str(real), str(link)), (str(real), str(real))} <= set(bound)
    assert "--bind" not in words
    assert os.fspath(tmp_path) in words
