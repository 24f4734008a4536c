"""What is served in a benchmark: another index's pages and files, and a configuration with a policy."""

import hashlib
import json
import os
from pathlib import Path

JSON = "application/vnd.pypi.simple.v1+json"
MB = 1_000_000
REQUIREMENTS = 1_000
DENIALS = 50


class Origin:
    """The folder of an index that nginx serves: ``simple/NAME/index.json`` and ``files/``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "files").mkdir(parents=True)
        (root / "simple").mkdir()
        self._block = os.urandom(MB)
        self.write("simple/index.json", {"meta": {"api-version": "1.1"}, "projects": []})

    def write(self, path: str, document: object) -> None:
        target = self.root / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(json.dumps(document), encoding="utf-8")

    def page(self, project: str, files: list[dict[str, object]]) -> None:
        versions = sorted({str(file["filename"]).split("-")[1] for file in files})
        meta = {"api-version": "1.1"}
        document = {"meta": meta, "name": project, "versions": versions, "files": files}
        self.write(f"simple/{project}/index.json", document)

    def listed(self, project: str, count: int) -> None:
        """A page of files that nobody will download: ten wheels a version."""
        files = []
        for number in range(count):
            tag = f"cp3{number % 10}-cp3{number % 10}-manylinux_2_17_x86_64"
            name = f"{project}-1.{number // 10}.0-{tag}.whl"
            files.append(entry(name, hashlib.sha256(name.encode()).hexdigest(), 1_000_000 + number))
        self.page(project, files)

    def stored(self, project: str, megabytes: int) -> Path:
        """A project of one real file, with bytes that no other file has."""
        name = f"{project.replace('-', '_')}-1.0-py3-none-any.whl"
        path = self.root / "files" / name
        digest = hashlib.sha256()
        with path.open("wb") as file:
            for number in range(megabytes):
                piece = f"{project} {number:8}".encode() + self._block
                file.write(piece[:MB])
                digest.update(piece[:MB])
        self.page(project, [entry(name, digest.hexdigest(), megabytes * MB)])
        return path


def entry(name: str, sha256: str, size: int) -> dict[str, object]:
    return {
        "filename": name,
        "url": f"../../files/{name}",
        "hashes": {"sha256": sha256},
        "size": size,
        "upload-time": "2026-01-02T03:04:05.678901Z",
        "requires-python": ">=3.9",
        "yanked": False,
        "core-metadata": False,
    }


def configuration(folder: Path, origin: str, line: str, projects: list[str]) -> Path:
    """A configuration with two remote sources, and a policy of the size that an organisation would have."""
    allowed = [f"{project}>=1,<2" for project in projects]
    allowed += [f"some-name-{number}>=1,<{number % 7 + 2}" for number in range(REQUIREMENTS - len(allowed))]
    denied = [f"bad-name-{number}<{number % 5 + 1}" for number in range(DENIALS - len(projects))]
    denied += [f"{project}==1.999" for project in projects]
    policy = f"[allow]\npackages = {json.dumps(allowed)}\n\n[deny]\npackages = {json.dumps(denied)}\n"
    (folder / "policy.toml").write_text(policy, encoding="utf-8")
    path = folder / "wheelkeep.toml"
    path.write_text(
        f'data = "data"\nworkers = 1\n\n'
        f'[sources.origin]\nkind = "remote"\nurl = "{origin}/simple/"\nfresh = "1h"\n\n'
        f'[sources.line]\nkind = "remote"\nurl = "{line}/simple/"\nfresh = "1h"\n\n'
        f'[indexes.main]\nsources = ["origin", "line"]\npolicy = "policy.toml"\n',
        encoding="utf-8",
    )
    return path
