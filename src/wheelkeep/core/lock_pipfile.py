"""``Pipfile.lock``, spec 6: JSON with a table for each category of packages."""

import json
from typing import Any

from wheelkeep.core.errors import ConfigError, InvalidName, Mistake
from wheelkeep.core.lock import (
    Draft,
    Lock,
    Locked,
    LockedFile,
    Origin,
    bare,
    locked_file,
    normal_version,
    read_hash,
)
from wheelkeep.core.lock_toml import words
from wheelkeep.core.names import project
from wheelkeep.core.toml_source import dotted


def read_pipfile(text: str, path: str) -> Lock:
    """Reads the text; raises ConfigError."""
    data = _parsed(text, path)
    draft = Draft(path, "Pipfile.lock")
    meta = data.get("_meta")
    if not isinstance(meta, dict) or meta.get("pipfile-spec") != 6:
        says = "must be 6, the only one that is known: lock with a pipenv that writes it"
        raise ConfigError([Mistake(path, None, "_meta.pipfile-spec", says)])
    indexes = _indexes(meta)
    for category, packages in data.items():
        if category == "_meta":
            continue
        for name, told in packages.items() if isinstance(packages, dict) else ():

            def place(says: str, name: str = name, category: str = category) -> Mistake:
                return Mistake(path, None, dotted((category, name)), says)

            if not isinstance(told, dict):
                draft.mistakes.append(place("must be a table"))
                continue
            try:
                draft.add(_entry(name, told, category, indexes), place)
            except (InvalidName, ValueError) as error:
                draft.mistakes.append(place(str(error)))
    return draft.done()


def _parsed(text: str, path: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except RecursionError:
        raise ConfigError([Mistake(path, None, "", "is nested too deeply to be read")]) from None
    except ValueError as error:
        line = getattr(error, "lineno", None)
        says = f"this is not JSON: {getattr(error, 'msg', 'a number is too long')}"
        raise ConfigError([Mistake(path, line, "", says)]) from None
    if not isinstance(data, dict):
        raise ConfigError([Mistake(path, None, "", "is not a Pipfile.lock: it must hold one object")])
    return data


def _indexes(meta: dict[str, Any]) -> dict[str, str]:
    """Each index's name and address."""
    sources = meta.get("sources")
    told = [each for each in sources if isinstance(each, dict)] if isinstance(sources, list) else []
    named = [(each.get("name"), each.get("url")) for each in told]
    return {name: url for name, url in named if isinstance(name, str) and isinstance(url, str)}


def _entry(name: str, told: dict[str, Any], category: str, indexes: dict[str, str]) -> Locked:
    """Raises InvalidName or ValueError."""
    origin, source = _origin(told)
    if origin == "index" and isinstance(told.get("index"), str):
        source = indexes.get(told["index"], told["index"])
    version = told.get("version")
    marker = told.get("markers")
    return Locked(
        project=project(name),
        version=normal_version(version.removeprefix("==")) if isinstance(version, str) else None,
        files=tuple(_file(text, source if origin == "url" else None) for text in words(told.get("hashes"))),
        origin=origin,
        source=bare(source) if source else None,
        marker=marker if isinstance(marker, str) else "",
        extras=words(told.get("extras")),
        groups=(category,),
    )


def _file(text: str, url: str | None) -> LockedFile:
    return locked_file([read_hash(text)], url=url)


def _origin(told: dict[str, Any]) -> tuple[Origin, str | None]:
    for key in ("git", "hg", "svn", "bzr"):
        if isinstance(told.get(key), str):
            return "git", told[key]
    if isinstance(told.get("path"), str):
        return "editable" if told.get("editable") else "path", told["path"]
    if isinstance(told.get("file"), str):
        return "url", told["file"]
    return "index", None
