"""A lock with other addresses: those of one index here in the place of wherever it was written against.

Only addresses change. Hashes, versions, order, comments and layout stay, byte by byte, and each result is read again:
it must say what was meant and nothing else. Formats differ in what they name, so each has its own list of changes.
What no index can serve (repositories, folders, addresses of their own) is left as it is, and told.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wheelkeep.core import names
from wheelkeep.core.errors import ConfigError, InvalidName, Mistake
from wheelkeep.core.lock import Lock, LockFormat, last_part
from wheelkeep.core.requirement_lines import lines
from wheelkeep.core.rewrite_poetry import rewrite_poetry
from wheelkeep.core.rewritten import MARK, SOURCE, Address, Rewritten, data_of, replaced
from wheelkeep.core.toml_lines import KeyPath

_INDEX_OPTION = re.compile(
    r"^([ \t]*(?:--(?:index-url|pypi-url|extra-index-url)(?:[ \t]+|[ \t]*=[ \t]*)|-i[ \t=]*))"
    r"(\"[^\"]*\"|'[^']*'|[^\s#\"'\\]+)",
    re.MULTILINE,
)
_INDEX_OPTIONS = ("--index-url", "--pypi-url", "--extra-index-url")
_FIRST_WORD = re.compile(r"^[ \t]*[^\s#]", re.MULTILINE)


def rewrite_lock(
    lock: Lock, text: str, to: Address, *, project: Mapping[str, Any] | None = None
) -> Rewritten:
    """The text of a lock that was read, with the addresses of the index. Raises ConfigError.

    ``project``: the data of the ``pyproject.toml`` beside a poetry.lock, which keeps a digest of it.
    """
    left = tuple(dict.fromkeys(entry.unservable for entry in lock.entries if entry.origin in ("git", "url")))
    match lock.format:
        case "requirements.txt":
            done = _requirements(lock, text, to)
        case "Pipfile.lock":
            done = _pipfile(text, to)
        case "poetry.lock":
            done = rewrite_poetry(lock.path, text, to, project)
        case _:
            done = _tables(lock, text, to)
    return Rewritten(text=done.text, changed=done.changed, left=(*left, *done.left))


def _tables(lock: Lock, text: str, to: Address) -> Rewritten:
    """uv.lock, pylock.toml and pdm.lock: every address stands in a string of its own."""
    changes: dict[LockFormat, Callable[[dict[str, Any], Address], Iterator[tuple[KeyPath, str]]]] = {
        "uv.lock": _uv,
        "pylock.toml": _pylock,
        "pdm.lock": _pdm,
    }
    data = data_of(text)
    wanted = dict(changes[lock.format](data, to))
    left: tuple[str, ...] = ()
    if lock.format == "pdm.lock" and not wanted:
        left = ("a pdm.lock without static_urls has no addresses: pdm takes them from [[tool.pdm.source]]",)
    return Rewritten(text=replaced(lock.path, text, wanted), changed=_count(data, wanted), left=left)


def _uv(data: dict[str, Any], to: Address) -> Iterator[tuple[KeyPath, str]]:
    for at, package in enumerate(data.get("package", [])):
        here: KeyPath = ("package", at)
        for path, registry in _registries(package, here):
            if "://" in registry:
                yield path, to.simple
        if "registry" not in package.get("source", {}):
            continue
        files = [((*here, "sdist"), package["sdist"])] if "sdist" in package else []
        files += [((*here, "wheels", number), one) for number, one in enumerate(package.get("wheels", []))]
        for path, one in files:
            yield from _moved(package, one, path, _sha256(one.get("hash")), to)


def _registries(node: object, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Every ``source = { registry = "…" }`` below a package: its own, and those that its dependencies are told by."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "source" and isinstance(value, dict) and isinstance(value.get("registry"), str):
                yield (*path, key, "registry"), value["registry"]
            elif key != "metadata":  # what the project asks for, in its own words
                yield from _registries(value, (*path, key))
    elif isinstance(node, list):
        for at, each in enumerate(node):
            yield from _registries(each, (*path, at))


def _pylock(data: dict[str, Any], to: Address) -> Iterator[tuple[KeyPath, str]]:
    for at, package in enumerate(data.get("packages", [])):
        here: KeyPath = ("packages", at)
        if any(key in package for key in ("vcs", "directory", "archive")):
            continue
        if isinstance(package.get("index"), str):
            yield (*here, "index"), to.simple
        files = [((*here, "sdist"), package["sdist"])] if "sdist" in package else []
        files += [((*here, "wheels", number), one) for number, one in enumerate(package.get("wheels", []))]
        for path, one in files:
            yield from _moved(package, one, path, one.get("hashes", {}).get("sha256"), to)


def _pdm(data: dict[str, Any], to: Address) -> Iterator[tuple[KeyPath, str]]:
    for at, package in enumerate(data.get("package", [])):
        if any(key in package for key in ("git", "url", "path")):
            continue
        for number, one in enumerate(package.get("files", [])):
            yield from _moved(package, one, ("package", at, "files", number), _sha256(one.get("hash")), to)


def _moved(
    package: dict[str, Any], one: dict[str, Any], path: KeyPath, sha256: str | None, to: Address
) -> Iterator[tuple[KeyPath, str]]:
    """The new address of one file, where it has one and its name is a distribution's."""
    url = one.get("url")
    if not isinstance(url, str) or "://" not in url:
        return
    filename = one.get("name") or last_part(url) or ""
    try:
        owner = names.project(str(package.get("name")))
        names.filename(filename, owner)
    except InvalidName:
        return
    yield (*path, "url"), to.file(owner, sha256.lower() if sha256 else None, filename)


def _sha256(told: object) -> str | None:
    kind, _, digest = str(told).partition(":")
    return digest if kind == "sha256" else None


def _count(data: Any, wanted: Mapping[KeyPath, str]) -> int:
    def at(path: KeyPath) -> object:
        found = data
        for part in path:
            found = found[part]
        return found

    return sum(at(path) != value for path, value in wanted.items())


def _pipfile(text: str, to: Address) -> Rewritten:
    """JSON, which has no comments: written as pipenv does, in the order that is there."""
    data = json.loads(text.removeprefix(MARK))
    sources = data["_meta"].get("sources")
    told = [each for each in sources if isinstance(each, dict)] if isinstance(sources, list) else []
    new = {"url": to.simple, "verify_ssl": to.base.startswith("https://")}
    changed = sum(each.get("url") != to.simple for each in told)
    if not told:
        data["_meta"]["sources"] = [{"name": SOURCE, **new}]
        changed = 1
    for each in told:
        each.update(new)
    if not changed and text == _as_json(json.loads(text)):
        return Rewritten(text=text, changed=0)
    return Rewritten(text=_as_json(data), changed=changed)


def _as_json(data: Any) -> str:
    return json.dumps(data, indent=4, separators=(",", ": "), ensure_ascii=False) + "\n"


def _requirements(lock: Lock, text: str, to: Address) -> Rewritten:
    """The lines that name an index name ours; where none does, a line is put above the first requirement."""
    told = [
        (option, value)
        for line in lines(text.removeprefix(MARK))
        for option, value in line.options
        if option in (*_INDEX_OPTIONS, "--find-links", "--no-index")
    ]
    before = [value for option, value in told if option in _INDEX_OPTIONS]
    after = _INDEX_OPTION.sub(lambda found: found[1] + to.simple, text)
    changed = sum(value != to.simple for value in before)
    if not any(option in ("--index-url", "--pypi-url") for option, _ in told):
        found = _FIRST_WORD.search(after.removeprefix(MARK))
        start = (
            found.start() + len(after) - len(after.removeprefix(MARK)) if found is not None else len(after)
        )
        ending = "\r\n" if "\r\n" in text else "\n"
        after = f"{after[:start]}--index-url {to.simple}{ending}{after[start:]}"
        changed += 1
    now = [
        value
        for line in lines(after.removeprefix(MARK))
        for option, value in line.options
        if option in _INDEX_OPTIONS
    ]
    if len(now) not in (len(before), len(before) + 1) or set(now) != {to.simple}:
        says = "its --index-url was not found: write the option and its value on one line"
        raise ConfigError([Mistake(lock.path, None, "", says)])
    left = [
        f"{option} {value} is looked at too".strip() for option, value in told if option == "--find-links"
    ]
    left += ["--no-index keeps installers from any index" for option, _ in told if option == "--no-index"]
    left += [f"{other} is included, and was left as it is" for other in lock.read if other != lock.path]
    return Rewritten(text=after, changed=changed, left=tuple(left))
