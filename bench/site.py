"""`export site` of 10,000 projects: its memory, and its time beside `cp -r` of what it wrote.

    python bench/site.py [--smoke]

Each project has a wheel and an sdist of a few hundred bytes, so that what is measured is the work for each thing and
not the disk. The pages are fresh, so nobody is asked for them. The copy is synced in the end; so is every file of the
site.
"""

import argparse
import asyncio
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from wheelkeep import compose, configuration
from wheelkeep.core.model import File, Page
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.index.fetch import Stored
from wheelkeep.store.pages import StoredPage

FULL, SMOKE = 10_000, 100
MOST_MB = 300
CONFIG = """
[sources.outer]
kind = "remote"
url = "http://127.0.0.1:9/simple/"
fresh = "52w"

[indexes.main]
sources = ["outer"]
"""


@dataclass(frozen=True)
class Run:
    """How one export went."""

    seconds: float
    megabytes: float
    said: str


def wheel(name: str, version: str) -> bytes:
    stem, packed = f"{name.replace('-', '_')}-{version}", io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(
            f"{stem}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        archive.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{stem}.dist-info/RECORD", "")
    return packed.getvalue()


def sdist(name: str, version: str) -> bytes:
    packed, info = io.BytesIO(), f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        member = tarfile.TarInfo(f"{name.replace('-', '_')}-{version}/PKG-INFO")
        member.size = len(info)
        archive.addfile(member, io.BytesIO(info))
    return packed.getvalue()


async def fill(folder: Path, projects: int) -> None:
    """A keep as it is when each file was fetched through it once."""
    (folder / "wheelkeep.toml").write_text(CONFIG)
    keep = compose.build(configuration.load(folder / "wheelkeep.toml"))
    for number in range(projects):
        name = f"project-{number}"
        stem = f"{name.replace('-', '_')}-1.0"
        files = []
        for filename, content in (
            (f"{stem}-py3-none-any.whl", wheel(name, "1.0")),
            (f"{stem}.tar.gz", sdist(name, "1.0")),
        ):
            sha256 = hashlib.sha256(content).hexdigest()
            path = keep.blobs.path(sha256)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            file = File(
                filename=filename,
                project=ProjectName(name),
                kind="wheel" if filename.endswith(".whl") else "sdist",
                version="1.0",
                source=SourceName("outer"),
                url=f"http://127.0.0.1:9/files/{filename}",
                sha256=sha256,
                size=len(content),
                upload_time="2026-01-02T03:04:05Z",
            )
            await keep.metadata.arrived(file, Stored(path, len(content)))
            files.append(file)
        stored = StoredPage(
            page=Page(project=ProjectName(name), files=tuple(files)), etag=None, checked=datetime.now(UTC)
        )
        await keep.pages.change(SourceName("outer"), ProjectName(name), lambda _, stored=stored: stored)
    await keep.close()


def export(command: str, folder: Path) -> Run:
    began = time.monotonic()
    with (folder / "said.txt").open("w+") as said:
        process = subprocess.Popen([command, "export", "site", "site"], cwd=folder, stdout=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        words = said.read().strip()
    if process.returncode != 0:
        raise SystemExit(f"bench: the export ended with {process.returncode}: {words}")
    return Run(time.monotonic() - began, used.ru_maxrss * 1024 / 1_000_000, words)


def main() -> None:
    parser = argparse.ArgumentParser(description="export site: memory and time")
    parser.add_argument("--smoke", action="store_true", help="short: shows only that everything works")
    parser.add_argument("--command", default=str(Path(sys.executable).with_name("wheelkeep")))
    given = parser.parse_args()
    projects = SMOKE if given.smoke else FULL
    with tempfile.TemporaryDirectory(prefix="wheelkeep-bench-") as name:
        folder = Path(name)
        asyncio.run(fill(folder, projects))
        first, second = export(given.command, folder), export(given.command, folder)
        began = time.monotonic()
        subprocess.run(["cp", "-r", "site", "copy"], cwd=folder, check=True)
        os.sync()
        copied = time.monotonic() - began
    if f"{projects} projects" not in first.said or "0 things written" not in second.said:
        raise SystemExit(f"bench: that is not what was to be written: {first.said}; then {second.said}")
    print(f"first export:  {first.seconds:6.1f} s, at most {first.megabytes:.0f} MB; {first.said}")
    print(f"second export: {second.seconds:6.1f} s, at most {second.megabytes:.0f} MB; {second.said}")
    print(f"cp -r, synced: {copied:6.1f} s; the first export took {first.seconds / copied:.1f} times as long")
    most = max(first.megabytes, second.megabytes)
    print(f"memory: {most:.0f} MB, target < {MOST_MB}{'' if most < MOST_MB else '  missed'}")
    if most >= MOST_MB and not given.smoke:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
