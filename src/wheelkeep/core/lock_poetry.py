"""``poetry.lock`` from 1.0 on: files beside each package, or all of them under ``[metadata.files]``.

Older ones have bare digests under ``[metadata.hashes]``, which are sha256.
"""

from wheelkeep.core.errors import InvalidName
from wheelkeep.core.lock import Draft, Lock, Locked, LockedFile, Origin, bare, normal_version
from wheelkeep.core.lock_toml import files_by_key, normal, place, read_files, read_project, words
from wheelkeep.core.names import ProjectName, filename
from wheelkeep.core.toml_source import Document, Table

_SOURCES: dict[str, Origin] = {
    "git": "git",
    "hg": "git",
    "url": "url",
    "file": "path",
    "directory": "path",
    "legacy": "index",
}


def read_poetry(text: str, path: str) -> Lock:
    """Reads the text; raises ConfigError."""
    document = Document(text, file=path)
    draft = Draft(path, "poetry.lock")
    root = document.root
    metadata = root.table("metadata")
    told = metadata.text("lock-version") if metadata is not None else None
    if metadata is None or (told is not None and told.partition(".")[0] not in ("1", "2")):
        says = (
            f"version {told} is not known: only 1.x and 2.x are" if told else "a poetry.lock has a [metadata]"
        )
        root.wrong("metadata", says)
        document.settle()
    elsewhere = {normal(key): files for key, files in files_by_key(document, ("metadata", "files"))}
    elsewhere.update(_bare_hashes(metadata))
    for table in root.tables("package"):
        project = read_project(table)
        version = normal_version(table.text("version"))
        files = read_files(table, "files")
        if project is None:
            continue
        files = files or _of_version(elsewhere.get(project, ()), project, version)
        origin, source = _source(table)
        entry = Locked(
            project=project,
            version=version,
            files=files,
            origin=origin,
            source=source,
            marker=_marker(table.any("markers")),
            groups=words(table.any("groups")),
        )
        draft.add(entry, place(table))
    document.settle()
    return draft.done()


def _bare_hashes(metadata: Table | None) -> dict[str, tuple[LockedFile, ...]]:
    hashes = metadata.table("hashes") if metadata is not None and "hashes" in metadata else None
    if hashes is None:
        return {}
    return {
        normal(key): tuple(
            LockedFile(sha256=text.lower()) for text in words(hashes.any(key)) if len(text) == 64
        )
        for key in hashes.keys
    }


def _of_version(
    files: tuple[LockedFile, ...], project: ProjectName, version: str | None
) -> tuple[LockedFile, ...]:
    """Those of one version, where a project is locked at several and only the file names tell."""

    def meant(file: LockedFile) -> bool:
        try:
            return file.filename is None or filename(file.filename, project).version == version
        except InvalidName:
            return False

    return tuple(file for file in files if meant(file))


def _source(table: Table) -> tuple[Origin, str | None]:
    source = table.table("source")
    if source is None:
        return "index", None
    kind, url = source.text("type"), source.text("url")
    if kind is None or kind not in _SOURCES:
        source.wrong("type", f"is none that is known: it must be one of {', '.join(_SOURCES)}")
        return "index", None
    return _SOURCES[kind], bare(url) if url else None


def _marker(value: object) -> str:
    """A text, or one a group."""
    if isinstance(value, dict):
        return " or ".join(f"({each})" for each in dict.fromkeys(value.values()) if isinstance(each, str))
    return value if isinstance(value, str) else ""
