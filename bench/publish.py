"""Uploads to wheelkeep, pypiserver and devpi, by turns in one run: time, memory, and whether anything was lost.

    python bench/publish.py [--smoke]

The other two are installed into an environment of their own, from whatever index pip is configured for; what cannot
be had is left out, and said. All three listen on loopback with one worker and take the same form over the same kind
of connection. wheelkeep checks every archive and syncs it to disk before it answers; the others do neither.
"""

import argparse
import base64
import hashlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from servers import Keep, Server, answers, free_port

EDGE = "wheelkeep-bench-edge"
PIECE = 1024 * 1024
TOGETHER = 100


@dataclass(frozen=True)
class Target:
    """Where a client uploads to, and as whom."""

    port: int
    path: str
    credentials: str


class Pypiserver(Server):
    def __init__(self, folder: Path, programs: Path) -> None:
        self.port, self.kept = free_port(), folder / "pypiserver"
        self.kept.mkdir()
        command = [str(programs / "pypi-server"), "run", "-i", "127.0.0.1", "-p", str(self.port)]
        super().__init__([*command, "-P", ".", "-a", ".", str(self.kept)], folder / "pypiserver.log")
        self.target = Target(self.port, "/", "")

    def ready(self) -> bool:
        return answers(self.port)


class Devpi(Server):
    def __init__(self, folder: Path, programs: Path) -> None:
        self.port, data = free_port(), str(folder / "devpi")
        subprocess.run([str(programs / "devpi-init"), "--serverdir", data], check=True, capture_output=True)
        command = [str(programs / "devpi-server"), "--serverdir", data, "--port", str(self.port)]
        super().__init__([*command, "--offline-mode"], folder / "devpi.log")
        self.target = Target(self.port, "/alice/dev/", "")

    def ready(self) -> bool:
        if not answers(self.port):
            return False
        self._make("/alice", {"password": "secret"}, "PUT", "")
        token = self._make("/+login", {"user": "alice", "password": "secret"}, "POST", "")
        login = base64.b64encode(f"alice:{token['result']['password']}".encode()).decode()
        self._make("/alice/dev", {"bases": [], "volatile": True}, "PUT", login)
        self.target = Target(self.port, "/alice/dev/", base64.b64encode(b"alice:secret").decode())
        return True

    def _make(
        self, path: str, document: dict[str, object], method: str, login: str
    ) -> dict[str, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if login:
            headers["X-Devpi-Auth"] = login
        connection.request(method, path, json.dumps(document), headers)
        told: dict[str, dict[str, str]] = json.loads(connection.getresponse().read())
        return told


def wheel(folder: Path, name: str, size: int) -> Path:
    """A wheel with so many bytes that do not compress; written piece by piece."""
    made = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    noise = os.urandom(min(size, PIECE))
    texts = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(made, "w") as archive:
        digest, lines = hashlib.sha256(), []
        with archive.open(f"{name}/noise.bin", "w", force_zip64=True) as member:
            for start in range(0, size, PIECE):
                piece = noise[: min(PIECE, size - start)]
                member.write(piece)
                digest.update(piece)
        lines.append(f"{name}/noise.bin,sha256={_record(digest.digest())},{size}")
        for path, text in texts.items():
            archive.writestr(path, text)
            lines.append(f"{path},sha256={_record(hashlib.sha256(text.encode()).digest())},{len(text)}")
        archive.writestr(f"{info}/RECORD", "\n".join([*lines, f"{info}/RECORD,,", ""]))
    return made


def _record(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def upload(target: Target, path: Path) -> int:
    """Publishes one wheel by the form that twine sends; gives the status."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    fields = {
        ":action": "file_upload", "protocol_version": "1", "metadata_version": "2.1", "filetype": "bdist_wheel",
        "pyversion": "py3", "name": path.name.split("-")[0], "version": "1.0", "sha256_digest": sha256,
    }  # fmt: skip
    parts = [
        f'--{EDGE}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{EDGE}\r\nContent-Disposition: form-data; name="content"; filename="{path.name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    head, tail = "".join(parts).encode(), f"\r\n--{EDGE}--\r\n".encode()
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=600)
    connection.putrequest("POST", target.path)
    connection.putheader("Content-Type", f"multipart/form-data; boundary={EDGE}")
    connection.putheader("Content-Length", str(len(head) + path.stat().st_size + len(tail)))
    if target.credentials:
        connection.putheader("Authorization", f"Basic {target.credentials}")
    connection.endheaders(head)
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            connection.send(piece)
    connection.send(tail)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


@contextmanager
def watched(server: Server) -> Iterator[list[float]]:
    """Resident memory in MB, looked at ten times a second while the block runs."""
    seen, done = [server.resident_mb()], threading.Event()

    def look() -> None:
        while not done.wait(0.1):
            seen.append(server.resident_mb())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def large(server: Server, target: Target, path: Path) -> str:
    with watched(server) as seen:
        began = time.perf_counter()
        status = upload(target, path)
        took = time.perf_counter() - began
    size = path.stat().st_size / 1_000_000
    return f"{status}, {took:6.1f} s, {size / took:5.0f} MB/s, memory {seen[0]:.0f} -> {max(seen):.0f} MB at most"


def together(target: Target, paths: list[Path]) -> str:
    began = time.perf_counter()
    with ThreadPoolExecutor(len(paths)) as pool:
        taken = list(pool.map(lambda path: _status(target, path), paths))
    took = time.perf_counter() - began
    good = sum(status == 200 for status in taken)
    return f"{good} of {len(paths)} acknowledged, {took:5.2f} s, {good / took:5.0f} a second"


def _status(target: Target, path: Path) -> int:
    try:
        return upload(target, path)
    except OSError:
        return 0


def listed(target: Target, page: str, names: list[str]) -> int:
    """How many projects have their wheel on their page."""
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=60)
    found = 0
    for name in names:
        headers = {"Accept": "text/html"} | (
            {"Authorization": f"Basic {target.credentials}"} if target.credentials else {}
        )
        connection.request("GET", page.format(name=name), headers=headers)
        found += f"{name}-1.0-py3-none-any.whl".encode() in connection.getresponse().read()
    return found


def keep(folder: Path, command: str) -> tuple[Keep, Target]:
    config = folder / "wheelkeep.toml"
    config.write_text(
        '[sources.acme]\nkind = "hosted"\n[indexes.main]\nsources = ["acme"]\npublish = "acme"\n',
        encoding="utf-8",
    )
    made = subprocess.run(
        [command, "-c", str(config), "token", "create", "--name", "bench", "--scope", "publish:acme"],
        capture_output=True,
        text=True,
        check=True,
    )
    server = Keep(folder, config, command)
    credentials = base64.b64encode(f"__token__:{made.stdout.strip()}".encode()).decode()
    return server, Target(int(server.url.rpartition(":")[2]), "/main/legacy/", credentials)


def programs(folder: Path) -> Path | None:
    """An environment with pypiserver and devpi-server, or None where pip cannot get them."""
    made = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(made)], check=True)
    pip = [str(made / "bin" / "pip"), "install", "--quiet", "--quiet", "pypiserver", "devpi-server"]
    return made / "bin" if subprocess.run(pip, check=False).returncode == 0 else None


def main() -> None:
    parser = argparse.ArgumentParser(description="uploads beside pypiserver and devpi")
    parser.add_argument("--smoke", action="store_true", help="short: shows only that everything works")
    parser.add_argument("--command", default=str(Path(sys.executable).with_name("wheelkeep")))
    given = parser.parse_args()
    size, rounds = (20_000_000, 1) if given.smoke else (1_000_000_000, 3)
    with tempfile.TemporaryDirectory(prefix="wheelkeep-publish-") as name:
        folder = Path(name)
        big = wheel(folder, "big", size)
        small = [
            wheel(folder, f"small{turn}x{at}", 20_000) for turn in range(rounds) for at in range(TOGETHER)
        ]
        server, target = keep(folder, given.command)
        with server:
            measure("wheelkeep", server, target, "/main/simple/{name}/", big, small)
        others = programs(folder)
        if others is None:
            print("pypiserver and devpi cannot be installed here, and are left out")
            return
        with Pypiserver(folder, others) as server_:
            measure("pypiserver", server_, server_.target, "/simple/{name}/", big, small)
        with Devpi(folder, others) as server_:
            measure("devpi", server_, server_.target, "/alice/dev/+simple/{name}/", big, small)


def measure(name: str, server: Server, target: Target, page: str, big: Path, small: list[Path]) -> None:
    print(f"{name:12} one wheel: {large(server, target, big)}", flush=True)
    turns = [small[start : start + TOGETHER] for start in range(0, len(small), TOGETHER)]
    for paths in turns:
        print(f"{name:12} together:  {together(target, paths)}", flush=True)
    names = [path.name.split("-")[0] for path in small]
    print(f"{name:12} afterwards {listed(target, page, names)} of {len(names)} are listed", flush=True)


if __name__ == "__main__":
    main()
