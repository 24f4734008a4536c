"""What a build does that means harm, and that nothing of it is seen outside. All of it runs in real sandboxes."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from fakes import tools
from fakes.workshop import wicked
from wheelkeep.index import sandbox as module
from wheelkeep.index import sandbox_watch
from wheelkeep.index.sandbox import Ended, Limits, sandboxed
from wheelkeep.index.sandbox_walls import WORK, Walls, find_walls, python_inside
from wheelkeep.index.uv import find_uv

MIB = 1 << 20
SMALL = {"seconds": 60.0, "memory": 200 * MIB, "disk": 32 * MIB, "processes": 30, "output": MIB, "said": 4000}


@pytest.fixture(autouse=True, scope="module")
def walls() -> None:
    tools.sandbox()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


async def run(
    out: Path,
    program: str,
    *,
    command: list[str] | None = None,
    given: Mapping[str, Path] | None = None,
    environment: Mapping[str, str] | None = None,
    readable: tuple[Path, ...] = (),
    index_socket: Path | None = None,
    unsafe: bool = False,
    **limits: float,
) -> Ended:
    """A Python program, or a command, in a sandbox with little room."""
    return await sandboxed(
        command or [sys.executable if unsafe else python_inside(), "-I", "-S", "-c", program],
        given=given or {},
        environment=environment or {},
        readable=readable,
        index_socket=index_socket,
        out=out,
        limits=Limits(**(SMALL | limits)),  # type: ignore[arg-type]
        unsafe=unsafe,
    )


@pytest.fixture(params=["as-root-or-user", "user-namespace"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to make a sandbox: root's own, and the one that is left to everybody else."""
    if request.param == "user-namespace" and os.geteuid() == 0:
        found = find_walls()
        monkeypatch.setattr(module, "find_walls", lambda: Walls(found.bwrap, None))


SPY = """
import json, os, sys
def tried(what, *args):
    try:
        return repr(what(*args))
    except OSError as error:
        return error.strerror
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
print(json.dumps({
    "paths": {path: tried(os.stat, path) for path in sys.argv[1:]},
    "top": sorted(os.listdir("/")), "etc": sorted(os.listdir("/etc")), "home": os.listdir(os.environ["HOME"]),
    "environment": dict(os.environ), "processes": [pid for pid in os.listdir("/proc") if pid.isdigit()],
    "ids": [os.getuid(), os.getgid(), os.getgroups()], "host": os.uname().nodename,
    "powers": [status[name].strip() for name in ("CapPrm", "CapEff", "CapAmb", "NoNewPrivs", "Seccomp")],
    "given": open("/in/given.txt").read(), "commandline": tried(open, "/proc/1/environ"),
    "written": [place for place in ("/x", "/usr/x", "/etc/x", "/in/x", "/dev/x", "/run/x", "/proc/sys/kernel/hostname",
        "/proc/sysrq-trigger", "/in/given.txt", os.getcwd() + "/x", "/tmp/x", "/dev/shm/x", "/out/x") if "File" not in
        tried(open, place, "w") and tried(open, place, "w").startswith("<")],
}))
"""


async def test_what_it_sees_and_may_do(
    kind: None, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "home" / "secret"
    secret.parent.mkdir()
    secret.write_text("sesame")
    given = tmp_path / "given.txt"
    given.write_text("hello")
    given.chmod(0o600)
    monkeypatch.setenv("VENDOR_TOKEN", "sesame")
    paths = [
        str(secret),
        str(Path.home()),
        "/etc/shadow",
        "/etc/resolv.conf",
        "/sys",
        "/home",
        "/var",
        "/boot",
        "/dev/sda",
    ]
    paths += ["/dev/vda", "/dev/mem", "/dev/kvm", "/proc/1/root", "/run/docker.sock", "/run/systemd"]
    ended = await run(
        out,
        "",
        command=[python_inside(), "-I", "-S", "-c", SPY, *paths],
        given={"given.txt": given},
        environment={"WANTED": "{work}"},
    )
    assert ended.why == "", ended
    seen: dict[str, Any] = json.loads(ended.said)
    home = seen["paths"].pop(str(Path.home()))
    assert "st_mode" not in home or not Path(sys.base_prefix).is_relative_to("/usr")
    inside_reach = {path: told for path, told in seen["paths"].items() if "stat_result" in told}
    assert set(inside_reach) <= {"/proc/1/root"}  # its own first process
    assert not {"home", "sys", "var", "boot"} & set(seen["top"])
    assert set(seen["etc"]) <= {"alternatives", "group", "hosts", "ld.so.cache", "nsswitch.conf", "passwd"}
    assert "sesame" not in ended.said
    assert seen["environment"] == {
        "HOME": f"{WORK}/home",
        "TMPDIR": f"{WORK}/tmp",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "WANTED": "/work",
    }
    assert len(seen["processes"]) == 3
    user, group, groups = seen["ids"]
    assert user == group != 0
    assert groups in ([], [user])
    assert seen["powers"] == ["0" * 16] * 3 + ["1", "2"]
    assert seen["given"] == "hello"
    assert seen["written"] == [f"{WORK}/x", "/tmp/x", "/dev/shm/x", "/out/x"]
    assert [file.name for file in ended.produced] == ["x"]
    assert seen["host"] == "build"


KERNEL = """
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    ctypes.set_errno(0)
    result = getattr(libc, name)(*args)
    return name, errno.errorcode.get(ctypes.get_errno()) if result < 0 else "DONE"
print(call("unshare", 0x10000000), call("unshare", 0x40000000), call("ptrace", 16, 1, 0, 0),
      call("mount", b"none", b"/work", b"tmpfs", 0, None), call("memfd_create", b"x", 0),
      call("shmget", 0, 4096, 0o1600),
      call("setuid", 0), call("swapon", b"x", 0), call("setns", 0, 0), call("chroot", b"/work"))
for domain in (16, 17, 38, 40):
    try:
        print(domain, socket.socket(domain, socket.SOCK_DGRAM))
    except OSError as error:
        print(domain, errno.errorcode[error.errno])
"""


async def test_what_the_kernel_does_for_it(kind: None, out: Path) -> None:
    ended = await run(out, KERNEL)
    assert ended.why == "", ended
    assert "DONE" not in ended.said
    assert ended.said.count("EPERM") >= 8  # setuid is EINVAL where there is no other user
    assert "('memfd_create', 'ENOSYS')" in ended.said
    # Netlink, packets, the kernel's ciphers, and what leads out of a virtual machine.
    assert ended.said.count("EAFNOSUPPORT") == 4


REACH = """
import socket, sys
port, token, path = sys.argv[1:]
for family, address in (
    (socket.AF_INET, ("127.0.0.1", int(port))), (socket.AF_UNIX, "\\0" + token), (socket.AF_UNIX, path),
    (socket.AF_INET, ("192.0.2.1", 80)), (socket.AF_INET6, ("2001:db8::1", 80)),
):
    with socket.socket(family) as tried:
        tried.settimeout(5)
        try:
            tried.connect(address)
            print("CONNECTED", address)
        except OSError as error:
            print(error.strerror)
"""


async def test_it_reaches_nobody(kind: None, out: Path, tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket(socket.AF_UNIX) as named,
    ):
        token = f"wheelkeep-{os.getpid()}-{time.monotonic_ns()}"
        path = str(tmp_path / "s")
        abstract.bind("\0" + token)
        abstract.listen()
        named.bind(path)
        named.listen()
        port = str(server.getsockname()[1])
        ended = await run(out, "", command=[python_inside(), "-I", "-S", "-c", REACH, port, token, path])
        for listener in (server, abstract, named):
            listener.setblocking(False)
            with pytest.raises(BlockingIOError):
                listener.accept()
    assert ended.why == "", ended
    assert ended.said.splitlines() == [
        "Connection refused",
        "Connection refused",
        "No such file or directory",
        "Network is unreachable",
        "Network is unreachable",
    ]


ASK = """
import os, socket
from urllib.request import urlopen
held = [socket.create_connection(("127.0.0.1", int(os.environ["INDEX"].rpartition(":")[2]))) for _ in range(HELD)]
try:
    print(urlopen(os.environ["INDEX"] + "/simple/", timeout=10).read())
except OSError as error:
    print("closed")
"""


@pytest.mark.parametrize("unsafe", [False, True])
async def test_the_index_is_all_that_answers(out: Path, tmp_path: Path, unsafe: bool) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line, *_ = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(line) + line
            )
            await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    path = tmp_path / "index.sock"
    server = await asyncio.start_unix_server(answer, path)
    said = {}
    for held in (0, 64) if not unsafe else (0,):
        ended = await run(
            out,
            "",
            command=[sys.executable, "-c", ASK.replace("HELD", str(held))],
            environment={"INDEX": "{index}"},
            readable=(Path(sys.prefix),),
            index_socket=path,
            unsafe=unsafe,
        )
        assert ended.why == "", ended
        said[held] = ended.said
    server.close()
    assert said.pop(0) == "b'GET /simple/ HTTP/1.1'\n"
    assert said in ({}, {64: "closed\n"})


DAEMON = """
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in range(1, 32):
            if number not in (9, 19):
                signal.signal(number, signal.SIG_IGN)
        os.closerange(0, 100)
        os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)", TOKEN])
    os._exit(0)
"""
FORKS = "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
HOARD = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        break
kept = b"x" * (60 << 20)
time.sleep(60)
"""
HIDDEN = """
import mmap, time
held = []
while True:
    held.append(mmap.mmap(-1, 8 << 20))
    held[-1].write(b"x" * (8 << 20))
    held[-1].madvise(mmap.MADV_DONTNEED)
"""
LITTLE = "import os\nos.mkdir('d')\nfor n in range(10**7): os.close(os.open(f'd/{n}', os.O_CREAT))"
BIG = "with open('{place}', 'wb') as file:\n    while True: file.write(b'x' * 65536)"


@pytest.mark.parametrize(
    ("program", "limits", "why"),
    [
        (FORKS, {}, "it ran more than 30 processes at once"),
        ("held = []\nwhile True: held.append(bytearray(1 << 20))", {}, "it used more than 200 MiB of memory"),
        (HOARD, {}, "it used more than 200 MiB of memory"),
        (LITTLE, {"memory": 45 * MIB}, "it used more than 45 MiB of memory"),
        (BIG.format(place="big"), {}, "it filled the disk that it was given"),
        (BIG.format(place="/tmp/big"), {}, "it filled the disk that it was given"),
        (BIG.format(place="/dev/shm/big"), {}, "it filled the disk that it was given"),
        ("while True: print('x' * 1000)", {}, "it printed more than 1000 KiB"),
        ("while True: pass", {"seconds": 0.6}, "it took longer than 0.6 s"),
        (
            "import os, signal\nos.kill(-1, signal.SIGKILL)",
            {},
            "it ended before it had handed over what it made",
        ),
        ("raise SystemExit(3)", {}, "exit 3"),
        ("import os\nos.kill(os.getpid(), 11)", {}, "signal 11"),
    ],
    ids=[
        "forks",
        "memory",
        "hoard",
        "little",
        "disk",
        "tmp",
        "shm",
        "flood",
        "time",
        "ends",
        "exit",
        "signal",
    ],
)
async def test_what_is_too_much(out: Path, program: str, limits: dict[str, float], why: str) -> None:
    ended = await run(out, f"open('/out/x', 'w').close()\n{program}", **limits)
    assert ended.why.startswith(why)
    assert ended.produced == ()
    assert not list(out.iterdir())
    assert len(ended.said) <= 4000


async def test_memory_that_no_process_has(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Others of this machine may need as much meanwhile; here it is this one's.
    monkeypatch.setattr(sandbox_watch, "_LEAST_SHARED", 0)
    ended = await run(out, HIDDEN, memory=100 * MIB)
    assert ended.why == "more than 100 MiB of shared memory came while it ran"


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("os.symlink('/etc/passwd', '/out/a.whl')", "it left 'a.whl', which is no plain file"),
        ("os.mkfifo('/out/a.whl')", "it left 'a.whl', which is no plain file"),
        ("os.mkdir('/out/a.whl')", "it left 'a.whl', which is no plain file"),
        ("open('/out/a b', 'w')", "it left a file with the name 'a b', which is not plain"),
        (
            "os.truncate(os.open('/out/a', os.O_CREAT | os.O_WRONLY), 30 << 20)",
            "it left more than 1 MiB of files",
        ),
        ("[open(f'/out/a{n}', 'w') for n in range(900)]", "it left more than 64 files"),
        ("os.rmdir(os.getcwd() + '/out')", "it ended before it had handed over what it made"),
        ("open('/out/.gitignore', 'w')", ""),
    ],
    ids="link pipe folder name sparse many gone dot".split(),  # noqa: SIM905
)
async def test_what_it_may_not_leave(out: Path, program: str, why: str) -> None:
    ended = await run(out, f"import os\n{program}")
    assert (ended.why, ended.produced) == (why, ())
    assert not list(out.iterdir())


async def test_what_it_prints_moves_no_cursor(out: Path) -> None:
    ended = await run(out, r"print('\x1b[2Jgone\x1b]0;t\x07\r\x00', '\u202e')")
    assert ended.said == "gone\n \n"


def running(token: str) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if token.encode() in (folder / "cmdline").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
            except OSError:
                pass
    return found


@pytest.fixture
def token() -> Iterator[str]:
    """A word by which a process is found."""
    word = f"token-{os.getpid()}-{time.monotonic_ns()}"
    yield word
    for process in running(word):
        os.kill(process, signal.SIGKILL)


async def test_nothing_outlives_it(out: Path, token: str) -> None:
    ended = await run(out, DAEMON.replace("TOKEN", repr(token)))
    assert ended.why == ""
    assert not running(token)


async def test_who_waits_no_longer_ends_it(out: Path, token: str) -> None:
    task = asyncio.create_task(run(out, "import time; time.sleep(600)", environment={"A": "b"}))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(
        run(out, "", command=[python_inside(), "-I", "-S", "-c", "import time; time.sleep(600)", token])
    )
    while not running(token):
        await asyncio.sleep(0.02)
    for one in (task, waiting):
        one.cancel()
        with pytest.raises(asyncio.CancelledError):
            await one
    assert not running(token)


PARENT = """
import asyncio, sys
from pathlib import Path
from wheelkeep.index.sandbox import Limits, sandboxed
from wheelkeep.index.sandbox_walls import python_inside
asyncio.run(sandboxed([python_inside(), "-I", "-S", "-c", "import time; time.sleep(600)", sys.argv[1]],
    given={}, environment={}, readable=(), index_socket=None, out=Path(sys.argv[2]), limits=Limits()))
"""


def test_what_kills_the_keep_kills_it_too(out: Path, tmp_path: Path, token: str) -> None:
    # The word in two halves, so that the parent is not found by it.
    program = PARENT.replace("sys.argv[1]", f"{token[:8]!r} + {token[8:]!r}").replace(
        "sys.argv[2]", repr(str(out))
    )
    around = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", program], env=around) as parent:
        try:
            while not running(token):
                assert parent.poll() is None
                time.sleep(0.02)
        finally:
            parent.kill()
    until = time.monotonic() + 30
    while running(token):
        assert time.monotonic() < until
        time.sleep(0.02)


WICKED = """
for path in SECRETS:
    try:
        print("READ", open(path).read())
    except OSError:
        print("closed")
for path in WRITES:
    try:
        open(path, "w").write("mine")
        print("WROTE", path)
    except OSError:
        print("closed")
with socket.socket() as tried:
    print("CONNECTED" if tried.connect_ex(("127.0.0.1", PORT)) == 0 else "closed")
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", TOKEN],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
"""


async def test_a_wicked_sdist_builds_its_wheel_and_nothing_else(
    out: Path, tmp_path: Path, token: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("sesame")
    with socket.create_server(("127.0.0.1", 0)) as server:
        program = (
            WICKED.replace("SECRETS", repr([str(secret), "/etc/shadow"]))
            .replace("WRITES", repr([str(tmp_path / "mine"), "/usr/mine", "/in/mine"]))
            .replace("PORT", str(server.getsockname()[1]))
            .replace("TOKEN", repr(token))
        )
        name, body = wicked("evil", program)
        file = tmp_path / name
        file.write_bytes(body)
        uv = Path(find_uv())
        words = ["--no-config", "--offline", "--no-python-downloads", "--python", python_inside()]
        ended = await run(
            out,
            "",
            command=[str(uv), "build", "--wheel", *words, "--out-dir", "{out}", f"{{in}}/{file.name}"],
            given={file.name: file},
            readable=(uv,),
            memory=1 << 30,
        )
    assert ended.why == "", ended
    assert [wheel.name for wheel in ended.produced] == ["evil-1.0-py3-none-any.whl"]
    assert ended.said.count("closed") == 6
    assert not running(token)
    assert not (tmp_path / "mine").exists()


async def test_without_a_sandbox_it_goes_the_same_way(out: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("hello")
    program = "import sys\nopen(sys.argv[2] + '/b.txt', 'w').write(open(sys.argv[1]).read())\nprint('done')"
    words = [sys.executable, "-c", program, "{in}/a.txt", "{out}"]
    ended = await run(out, "", command=words, given={"a.txt": file}, unsafe=True)
    assert (ended.why, ended.code, ended.said) == ("", 0, "done\n")
    assert [path.read_text() for path in ended.produced] == ["hello"]
    ended = await run(out, "import time; time.sleep(60)", unsafe=True, seconds=0.5)
    assert (ended.why, ended.code) == ("it took longer than 0.5 s", None)
    ended = await run(out, "", command=["nothing-of-the-kind"], unsafe=True)
    assert (ended.why, ended.said) == (
        "exit 127",
        "nothing-of-the-kind cannot be started: No such file or directory\n",
    )


async def test_names_of_what_is_given_are_plain(out: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no plain name"):
        await run(out, "", given={"../x": tmp_path})
