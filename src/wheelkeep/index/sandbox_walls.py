"""What a sandbox is made of: bubblewrap's arguments, and why it cannot be had on this machine.

Root makes the namespaces itself, and the first program inside becomes a user whom nobody is: limits do not hold for
root. Anybody else needs the kernel's leave to make a user namespace.
"""

import functools
import os
import platform
import pwd
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.seccomp import MACHINES

_OLDEST = (0, 8)
"""The first bubblewrap that can forbid user namespaces inside of one."""
_OLDEST_KERNEL = (5, 3)
"""The first one with handles for processes (pidfd_open(2))."""
_SHARED_MEMORY = 64 << 20
_PLAIN_USER = 1000
WORK, TEMPORARY, SHARED_MEMORY = "/work", "/tmp", "/dev/shm"  # noqa: S108
"""What can be written inside: file systems of their own, in memory."""
INSIDE, SOCKET = "/run/inside.py", "/run/index.sock"
_FIRST_USER = 1_900_000_000
"""From here to 2^31 no system gives numbers away (systemd's UIDS-GIDS)."""
_TOPS = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
"""What programs and their libraries are made of, below the root."""
_WAY_OUT = "; --unsafe-no-sandbox runs builds with all that this user may do"
_SETTINGS = {
    "user/max_user_namespaces": ("0", "user.max_user_namespaces is 0"),
    "kernel/unprivileged_userns_clone": ("0", "kernel.unprivileged_userns_clone is 0"),
    "kernel/apparmor_restrict_unprivileged_userns": (
        "1",
        "kernel.apparmor_restrict_unprivileged_userns is 1, and no AppArmor profile lets bwrap have them",
    ),
}
"""Settings of the kernel below /proc/sys that forbid user namespaces to plain users."""


class NoSandbox(WheelkeepError):
    """There can be no sandbox here; the text says why, what to do, and how to go on without one."""

    def __init__(self, why: str) -> None:
        super().__init__(why + _WAY_OUT)


class Walls(Struct, frozen=True):
    """How sandboxes are made on this machine: the program, and the user inside as others see it, if it is another."""

    bwrap: str
    user: int | None


class Room(Struct, frozen=True):
    """What one sandbox gets of the disk: a folder of its own that holds ``in`` and ``etc``, and what is readable."""

    folder: Path
    readable: tuple[Path, ...]
    socket: Path | None
    disk: int


def find_walls() -> Walls:
    """Raises NoSandbox where it is plain without a try that none can be had."""
    if sys.platform != "linux":
        raise NoSandbox(f"builds are put into a sandbox on Linux alone, and this is {sys.platform}")
    if platform.machine() not in MACHINES:
        raise NoSandbox(f"the sandbox knows the system calls of {' and '.join(MACHINES)} alone")
    if kernel() < _OLDEST_KERNEL:
        raise NoSandbox(f"the kernel is {platform.release()}, and the sandbox needs Linux 5.3 or newer")
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise NoSandbox("bubblewrap, which makes the sandbox, is not on PATH: install the package bubblewrap")
    version = _version(bwrap)
    if version < _OLDEST:
        told = ".".join(map(str, version)) or "of an unknown version"
        raise NoSandbox(f"{bwrap} is {told}, and the sandbox needs bubblewrap 0.8 or newer")
    return Walls(bwrap, None if os.geteuid() else _unused_user(Path("/proc/self/uid_map")))


def kernel() -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]+", platform.release())[:2])


@functools.cache
def _version(bwrap: str) -> tuple[int, ...]:
    try:
        said = subprocess.run(
            [bwrap, "--version"], check=False, capture_output=True, text=True, timeout=10, env={}
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise NoSandbox(f"{bwrap} cannot be run: {error}") from None
    found = re.search(r"([0-9]+)\.([0-9]+)", said)
    return (int(found[1]), int(found[2])) if found else ()


def _unused_user(told: Path) -> int:
    """A number that no user has, of those that there are in this user namespace (user_namespaces(7))."""
    spans = [tuple(map(int, line.split())) for line in told.read_text(encoding="ascii").splitlines()]
    if any(inside <= _FIRST_USER and inside + count >= 1 << 31 for inside, _, count in spans):
        return _FIRST_USER + secrets.randbelow(1 << 24)
    taken = {user.pw_uid for user in pwd.getpwall()}
    for inside, _, count in spans:
        last = min(inside + count, 1 << 31) - 2  # the very last ones are nobody's
        free = [user for user in range(max(inside, last - 5000), last) if user > 1000 and user not in taken]
        if free:
            return secrets.choice(free)
    raise NoSandbox("root has no other user here whom a build could run as: run this as a plain user")


def make_room(
    folder: Path,
    given: Mapping[str, Path],
    readable: Sequence[Path],
    *,
    walls: Walls,
    socket: Path | None,
    disk: int,
) -> Room:
    """Copies what is given to where the other user may read it. Raises NoSandbox where ``readable`` opens too much."""
    etc = folder / "etc"
    etc.mkdir(mode=0o755)
    user = walls.user if walls.user is not None else _PLAIN_USER
    texts = {
        "passwd": f"build:x:{user}:{user}::{WORK}/home:/bin/sh\n",
        "group": f"build:x:{user}:\n",
        "hosts": "127.0.0.1 localhost\n::1 localhost\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    }
    for name, text in texts.items():
        (etc / name).write_text(text, encoding="ascii")
        (etc / name).chmod(0o444)
    copy_given(folder / "in", given)
    if socket is not None and walls.user is not None:
        os.chown(socket, walls.user, walls.user)
    opened = tuple(dict.fromkeys([*readable, Path(sys.base_prefix)]))
    home = Path("~").expanduser().resolve()
    for path in opened:
        real = path.resolve()
        if real == Path("/") or (
            not _is_bound(real) and (home.is_relative_to(real) or folder.is_relative_to(real))
        ):
            raise NoSandbox(f"{path} holds the home folder, so it cannot be opened to a build")
    return Room(folder, opened, socket, disk)


def copy_given(inside: Path, given: Mapping[str, Path]) -> None:
    """Copies of files that a build is given, under plain names."""
    inside.mkdir(mode=0o755)
    for name, path in given.items():
        if Path(name).name != name:
            raise ValueError(f"{name} is no plain name")
        shutil.copyfile(path, inside / name)
        (inside / name).chmod(0o444)


def python_inside() -> str:
    """The Python that runs wheelkeep, without its environment."""
    real = Path(sys.executable).resolve()
    if real.is_relative_to(Path(sys.base_prefix).resolve()):
        return str(real)
    return str(Path(sys.base_prefix) / "bin" / "python{}.{}".format(*sys.version_info[:2]))


def arguments(walls: Walls, room: Room) -> list[str]:
    """bubblewrap's own arguments, without the file descriptors. All that can be written lies in memory."""
    words = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if walls.user is None:
        words += ["--unshare-user", "--disable-userns", "--uid", str(_PLAIN_USER), "--gid", str(_PLAIN_USER)]
    else:
        words += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    words += ["--new-session", "--die-with-parent", "--hostname", "build"]
    for name in _TOPS:
        top = Path("/") / name
        if top.is_symlink():
            words += ["--symlink", str(top.readlink()), str(top)]
        elif top.is_dir():
            words += ["--ro-bind", str(top), str(top)]
    words += [
        "--proc",
        "/proc",
        "--ro-bind",
        "/proc/sys",
        "/proc/sys",
        "--ro-bind",
        "/dev/null",
        "/proc/cmdline",
    ]
    words += ["--dev", "/dev"]
    sizes = {SHARED_MEMORY: min(_SHARED_MEMORY, room.disk), TEMPORARY: room.disk, WORK: room.disk}
    for place, size in sizes.items():
        words += ["--perms", "1777", "--size", str(size), "--tmpfs", place]
    words += [*_readable(room), *_furniture(room)]
    return [*words, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", WORK]


def _readable(room: Room) -> Iterator[str]:
    # What links to itself by its true place finds itself.
    places = {place: path.resolve() for path in room.readable for place in (path, path.resolve())}
    # Folders on the way that bubblewrap makes by itself would be closed to the other user.
    ways = {way for place in places for way in place.parents if len(way.parts) > 1}
    for way in sorted(ways - {Path(TEMPORARY), Path(WORK)}):
        if not _is_bound(way):
            yield from ("--perms", "0755", "--dir", str(way))
    for place, real in places.items():
        if not _is_bound(place):
            yield from ("--ro-bind", str(real), str(place))


def _furniture(room: Room) -> Iterator[str]:
    for name in ("/etc", "/run"):
        yield from ("--perms", "0755", "--dir", name)
    for name in ("/etc/ld.so.cache", "/etc/alternatives"):
        yield from ("--ro-bind-try", name, name)
    for file in sorted((room.folder / "etc").iterdir()):
        yield from ("--ro-bind", str(file), f"/etc/{file.name}")
    yield from ("--ro-bind", str(room.folder / "in"), "/in")
    yield from ("--ro-bind", str(Path(__file__).with_name("sandbox_inside.py")), INSIDE)
    if room.socket is not None:
        yield from ("--ro-bind", str(room.socket), SOCKET)
    yield from ("--symlink", f"{WORK}/out", "/out")


def _is_bound(path: Path) -> bool:
    return path.parts[1] in _TOPS


def no_sandbox(said: str) -> NoSandbox:
    """What bubblewrap said as it failed, with what forbids it where that can be told."""
    told = " ".join(said.split())[-500:] or "it said nothing"
    if "new namespace" in told or "uid map" in told or "unshare" in told:
        closed = [sentence for name, (value, sentence) in _SETTINGS.items() if _setting(name) == value]
        if os.geteuid() == 0:
            why = "root may make no namespaces here, as in a container: give it CAP_SYS_ADMIN, or run this outside"
        elif closed:
            why = f"plain users may make no user namespaces here: {'; '.join(closed)}"
        else:
            why = "user namespaces are forbidden here, as in a container: run this outside of it"
    elif "proc" in told:
        why = "no /proc may be mounted here, as in a container that hides parts of its own"
    else:
        why = "bubblewrap could make no sandbox"
    return NoSandbox(f"{why} (bwrap said: {told})")


def _setting(name: str) -> str:
    try:
        return (Path("/proc/sys") / name).read_text(encoding="ascii").strip()
    except OSError:
        return ""
