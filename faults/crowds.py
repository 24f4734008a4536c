"""Too many clients, and too slow ones: what others get meanwhile, and when the slow are given up."""

import asyncio
import contextlib
import os
import resource
import socket
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from keep import PATIENCE, World, noise, sha, world
from scene import Scene

from fakes.ask import ask
from fakes.dists import wheel
from fakes.uploads import KIND, basic

LARGE = 8_000_000
Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Others:
    """Ordinary clients that go on working, one request after the other, from an address of their own."""

    def __init__(self, made: World, paths: list[str]) -> None:
        self._made = made
        self._paths = paths
        self._times: list[float] = []
        self.failed = 0

    async def work(self, until: Callable[[], bool]) -> None:
        turn = 0
        while not until() or not turn:
            began = time.monotonic()
            path = self._paths[turn % len(self._paths)]
            turn += 1
            try:
                reply = await asyncio.to_thread(ask, self._made.keep.url + path, timeout=PATIENCE)
                assert reply.status == 200 and reply.whole, (path, reply.status)
            except OSError:
                self.failed += 1
            self._times.append(time.monotonic() - began)
            await asyncio.sleep(0.05)

    def tell(self, scene: Scene) -> None:
        ordered = sorted(self._times)
        middle, last = ordered[len(ordered) // 2], ordered[-1]
        scene.tell(
            "others meanwhile",
            f"{len(ordered) - self.failed} of {len(ordered)} requests answered, half of them within "
            f"{middle * 1000:.0f} ms, all within {last:.1f} s",
        )
        assert not self.failed, f"{self.failed} of the others' requests had no answer"


async def _connect(made: World, number: int = 0, *, buffer: int | None = None) -> Wire:
    """A connection from one of several addresses that are not the others'."""
    split = urlsplit(made.keep.url)
    end = socket.socket()
    end.setblocking(False)
    if buffer is not None:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    end.bind((f"127.0.0.{2 + number % 4}", 0))
    await asyncio.get_running_loop().sock_connect(end, (split.hostname, split.port))
    return await asyncio.open_connection(sock=end, limit=1 << 12 if buffer is not None else 1 << 16)


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: keep\r\n\r\n".encode()


def _warm(made: World, count: int = 4) -> list[str]:
    """Files that are stored, and pages that are known, for the others to ask for."""
    paths = []
    for project in list(made.files)[:count]:
        assert made.fetch(project) is not None
        filename, content = made.files[project]
        paths += [f"/main/files/{project}/{sha(content)}/{filename}", f"/main/simple/{project}/"]
    return paths


def _allow(count: int) -> int:
    """Raises this process's own limit of open files; gives how many connections it may hold."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 200 if hard == resource.RLIM_INFINITY else min(hard, count + 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return min(count, wanted - 200)


def descriptors(scene: Scene) -> None:
    """256 open files for the server, and 1,000 clients that each ask once and then hold their connection."""
    count = 200 if scene.smoke else 1000
    _allow(count)
    with world(scene, files=4, under=("prlimit", "--nofile=256:256")) as made:
        paths = _warm(made)
        ticks = _cpu(made)
        asyncio.run(_besiege(scene, made, paths, count))
        scene.tell("processor time of the server", f"{_cpu(made) - ticks:.1f} s")
        made.prove()


async def _besiege(scene: Scene, made: World, paths: list[str], count: int) -> None:
    held: list[asyncio.StreamWriter] = []
    longest = 0.0
    answered = again = 0

    async def client(number: int) -> None:
        nonlocal longest, answered, again
        began = time.monotonic()
        path = paths[number % len(paths)]
        head = b""
        while not head:
            reader, writer = await _connect(made, number)
            held.append(writer)
            try:
                writer.write(_get(path))
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
            except (asyncio.IncompleteReadError, ConnectionError):
                # Half a second silent between its connection and its request: it was ended, and asks again.
                again += 1
                assert again < count // 10, "connections that asked were ended"
        assert head.startswith(b"HTTP/1.1 200"), head
        answered += 1
        longest = max(longest, time.monotonic() - began)

    others = Others(made, paths)
    clients = asyncio.gather(*(client(number) for number in range(count)))
    await asyncio.gather(clients, others.work(lambda: answered == count or clients.done()))
    for writer in held:
        writer.close()
    scene.tell(
        "answers under 256 open files",
        f"{answered} of {count} connections, the last after {longest:.1f} s; {again} were ended before they asked",
    )
    others.tell(scene)


def idle(scene: Scene) -> None:
    """Connections that say nothing, far more than there are places."""
    count = _allow(2000 if scene.smoke else 10_000)
    under = ("prlimit", "--nofile=1024:1024") if scene.smoke else ()
    with world(scene, files=4, under=under) as made:
        paths = _warm(made)
        asyncio.run(_idle(scene, made, paths, count))
        made.prove()


async def _idle(scene: Scene, made: World, paths: list[str], count: int) -> None:
    wires = []
    for number in range(count):
        wires.append(await _connect(made, number))
        if number % 500 == 499:
            await asyncio.sleep(0.05)
    others = Others(made, paths)
    began = time.monotonic()
    ended = asyncio.gather(*(reader.read() for reader, _ in wires), return_exceptions=True)
    await others.work(ended.done)
    scene.tell(
        "idle connections", f"{count} opened, all ended by the keep {time.monotonic() - began:.0f} s later"
    )
    others.tell(scene)
    for _, writer in wires:
        writer.close()


def readers(scene: Scene) -> None:
    """Clients that read a large file at a kilobyte a second, a stored one and one on its way, while others work."""
    count, seconds = (40, 4) if scene.smoke else (300, 20)
    with world(scene, files=4) as made:
        for name in ("large", "arriving"):
            made.files[name] = wheel(name, "1.0", files={"noise.bin": noise(scene.seed, LARGE)})
            made.outside.add(*made.files[name])
        paths = _warm(made)
        made.fetch("large")
        asyncio.run(_slowly(scene, made, paths, count, seconds))
        made.fetch("arriving")
        made.prove()


async def _slowly(scene: Scene, made: World, paths: list[str], count: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    wires = [await _connect(made, number, buffer=4096) for number in range(count)]

    async def sip(number: int, wire: Wire) -> None:
        reader, writer = wire
        name = ("large", "arriving")[number % 2]
        filename, content = made.files[name]
        writer.write(_get(f"/main/files/{name}/{sha(content)}/{filename}"))
        while time.monotonic() < end:
            await reader.read(1024)
            await asyncio.sleep(1)
        writer.close()

    others = Others(made, paths)
    await asyncio.gather(
        others.work(lambda: time.monotonic() >= end), *(sip(*one) for one in enumerate(wires))
    )
    scene.tell("slow readers", f"{count}, at 1 KB/s for {seconds} s, of files of {LARGE // 1_000_000} MB")
    others.tell(scene)


def senders(scene: Scene) -> None:
    """Heads and bodies that come byte by byte, while others work."""
    with world(scene, files=4) as made:
        paths = _warm(made)
        asyncio.run(_drip(scene, made, paths))
        made.prove()


async def _drip(scene: Scene, made: World, paths: list[str]) -> None:
    count = 20 if scene.smoke else 200
    upload = (
        f"POST /main/legacy/ HTTP/1.1\r\nHost: keep\r\nContent-Type: {KIND}\r\nContent-Length: 100000\r\n"
        f"Authorization: {basic(made.keep.token)}\r\n\r\n"
    ).encode()
    head = b"GET /healthz HTTP/1.1\r\nHost: keep\r\nX-More: " + b"m" * 1000
    ends: dict[str, list[float]] = {"heads": [], "bodies": []}

    async def sender(kind: str, number: int, first: bytes, rest: bytes) -> None:
        reader, writer = await _connect(made, number)
        began = time.monotonic()
        told = asyncio.create_task(reader.read())
        with contextlib.suppress(ConnectionError):
            writer.write(first)
            for at in range(len(rest)):
                if told.done():
                    break
                writer.write(rest[at : at + 1])
                await asyncio.wait({told}, timeout=0.5)
        with contextlib.suppress(ConnectionError):
            await told
        ends[kind].append(time.monotonic() - began)
        writer.close()

    work: list[Awaitable[None]] = [sender("heads", number, b"", head) for number in range(count)]
    if not scene.smoke:
        work += [sender("bodies", number, upload, b"-" * 1000) for number in range(count // 4)]
    senders = asyncio.gather(*work)
    others = Others(made, paths)
    await asyncio.gather(senders, others.work(senders.done))
    for kind, times in ends.items():
        if times:
            scene.tell(
                f"{kind} that drip", f"{len(times)}, all ended by the keep after {max(times):.0f} s at most"
            )
    others.tell(scene)


def _cpu(made: World) -> float:
    """Seconds that the server's processes computed."""
    total = 0
    for process in made.keep.processes:
        with open(f"/proc/{process}/stat") as file:
            words = file.read().rpartition(")")[2].split()
        total += int(words[11]) + int(words[12])
    return total / os.sysconf("SC_CLK_TCK")
