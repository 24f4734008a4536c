"""What the locks in TOML share: entries as tables, hashes as ``sha256:…``, and where each stands."""

from collections.abc import Callable, Iterable

from wheelkeep.core.errors import InvalidName, Mistake
from wheelkeep.core.lock import LockedFile, last_part, locked_file, read_hash
from wheelkeep.core.names import ProjectName, project
from wheelkeep.core.toml_source import Document, Table


def place(table: Table) -> Callable[[str], Mistake]:
    """Makes mistakes that stand at a table."""
    return lambda says: table.document.mistake(table.path, says)


def read_project(table: Table) -> ProjectName | None:
    """The ``name`` of an entry, which must be there; None after a mistake was noted."""
    table.need("name", "write the project's name")
    return table.parsed("name", project)


def read_file(table: Table) -> LockedFile:
    """``{ file | filename | url | path, hash, size, upload-time }``: as poetry, pdm and uv write files."""
    path, url = table.text("path"), table.text("url")
    told = table.parsed("hash", read_hash)
    name = table.text("filename") or table.text("file") or (last_part(path) if path else None)
    upload_time = table.any("upload-time")
    return locked_file(
        [told] if told is not None else [],
        filename=name,
        url=url,
        size=table.any("size"),
        upload_time=upload_time,
    )


def read_files(table: Table, key: str) -> tuple[LockedFile, ...]:
    return tuple(read_file(each) for each in table.tables(key))


def files_by_key(document: Document, path: tuple[str, ...]) -> Iterable[tuple[str, tuple[LockedFile, ...]]]:
    """``[metadata.files]``: older locks keep all files apart from the packages, under the packages' names."""
    table: Table | None = document.root
    for part in path:
        table = table.table(part) if table is not None and part in table else None
    if table is None:
        return ()
    return [(key, read_files(table, key)) for key in table.keys]


def normal(text: str) -> str:
    """A name in its normal form, or as it is where it is none."""
    try:
        return project(text)
    except InvalidName:
        return text


def words(value: object) -> tuple[str, ...]:
    """A list of texts, as far as it is one."""
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
