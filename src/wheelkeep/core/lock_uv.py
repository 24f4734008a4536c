"""``uv.lock``, version 1 in all its revisions: https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile."""

from wheelkeep.core.lock import Draft, Lock, Locked, Origin, bare, normal_version
from wheelkeep.core.lock_toml import place, read_file, read_files, read_project, words
from wheelkeep.core.toml_source import Document, Table
from wheelkeep.core.uv_markers import Package, markers, read_needs

_SOURCES: dict[str, Origin] = {
    "registry": "index",
    "git": "git",
    "url": "url",
    "path": "path",
    "directory": "path",
    "editable": "editable",
    "virtual": "virtual",
}
_ROOTS = ("virtual", "editable", "directory")


def read_uv(text: str, path: str) -> Lock:
    """Reads the text; raises ConfigError."""
    document = Document(text, file=path)
    draft = Draft(path, "uv.lock")
    root = document.root
    root.need("version", "a uv.lock begins with its version")
    if (version := root.any("version")) not in (None, 1):
        root.wrong("version", f"is {version}: only version 1 is known; lock with a uv that writes it")
        document.settle()
    tables = root.tables("package")
    needed = markers([_package(table) for table in tables])
    for table, marker in zip(tables, needed, strict=True):
        project = read_project(table)
        origin, source = _source(table)
        files = read_files(table, "wheels")
        if (sdist := table.table("sdist")) is not None:
            files = (read_file(sdist), *files)
        if project is not None:
            entry = Locked(
                project=project,
                version=normal_version(table.text("version")),
                files=files,
                origin=origin,
                source=source,
                marker=marker or " or ".join(f"({each})" for each in words(table.any("resolution-markers"))),
            )
            draft.add(entry, place(table))
    document.settle()
    return draft.done()


def _package(table: Table) -> Package:
    """What it needs, as far as it can be read: markers only narrow what is wanted."""
    told = {"": read_needs(table.any("dependencies"))}
    for key in ("optional-dependencies", "dev-dependencies"):
        if isinstance(some := table.any(key), dict):
            told |= {f"{key[:3]}:{name}": read_needs(listed) for name, listed in some.items()}
    source = table.any("source")
    root = isinstance(source, dict) and not source.keys().isdisjoint(_ROOTS)
    return Package(str(table.any("name")), _text(table.any("version")), told, root)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _source(table: Table) -> tuple[Origin, str | None]:
    source = table.table("source")
    if source is not None:
        for key, origin in _SOURCES.items():
            if key in source:
                told = source.text(key)
                return origin, bare(told) if told else None
    table.wrong("source", f"is none that is known: it must have one of {', '.join(_SOURCES)}")
    return "index", None
