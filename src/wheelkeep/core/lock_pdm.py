"""``pdm.lock`` 4.x: files by name, or by address where they are locked with ``static_urls``."""

from wheelkeep.core.lock import Draft, Lock, Locked, Origin, bare, normal_version
from wheelkeep.core.lock_toml import files_by_key, normal, place, read_files, read_project, words
from wheelkeep.core.toml_source import Document, Table

_ORIGINS: tuple[Origin, ...] = ("git", "url", "path")


def read_pdm(text: str, path: str) -> Lock:
    """Reads the text; raises ConfigError."""
    document = Document(text, file=path)
    draft = Draft(path, "pdm.lock")
    root = document.root
    metadata = root.table("metadata")
    version = metadata.any("lock_version") if metadata is not None else None
    if str(version).partition(".")[0] != "4":
        root.wrong("metadata", f"version {version} is not known: only 4.x is; lock with a pdm that writes it")
        document.settle()
    elsewhere = {}
    for key, files in files_by_key(document, ("metadata", "files")):
        name, _, version = key.partition(" ")
        elsewhere[normal(name), normal_version(version)] = files
    for table in root.tables("package"):
        project = read_project(table)
        version = normal_version(table.text("version"))
        files = read_files(table, "files")
        if project is None:
            continue
        origin, source = _source(table)
        entry = Locked(
            project=project,
            version=version,
            files=files or elsewhere.get((project, version), ()),
            origin=origin,
            source=source,
            marker=table.text("marker") or "" if "marker" in table else "",
            extras=words(table.any("extras")),
            groups=words(table.any("groups")),
        )
        draft.add(entry, place(table))
    document.settle()
    return draft.done()


def _source(table: Table) -> tuple[Origin, str | None]:
    for origin in _ORIGINS:
        if origin in table:
            told = table.text(origin)
            editable = origin == "path" and table.flag("editable", default=False)
            return "editable" if editable else origin, bare(told) if told else None
    return "index", None
