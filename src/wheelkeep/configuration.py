"""Finds and reads the configuration and its policies, before anything is made of them."""

import contextlib
import errno
import json
import os
from ast import literal_eval
from collections.abc import Mapping
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from stat import S_ISDIR
from urllib.parse import urlsplit

from wheelkeep.core.errors import ConfigError, Mistake
from wheelkeep.core.names import IndexName, SourceName
from wheelkeep.core.read_settings import default_settings, read_settings
from wheelkeep.core.settings import DirectorySource, RemoteSource, Settings
from wheelkeep.core.toml_source import Document
from wheelkeep.index.policies import PolicyHolder
from wheelkeep.store.dumps import imported

CONFIG_VARIABLE = "WHEELKEEP_CONFIG"
LISTEN_VARIABLE = "WHEELKEEP_LISTENING"
"""How ``serve`` tells its workers where they listen: host and port with a space between."""

_TRUST_ROOT = "application/vnd.dev.sigstore.trustedroot+json"


def pypi_url() -> str:
    """The Simple API of the public index, from the constant that a library keeps of its address."""
    parts = urlsplit(_constant("distlib.index", "DEFAULT_INDEX"))
    return f"{parts.scheme}://{parts.netloc}/simple/"


def _constant(module: str, name: str) -> str:
    """A text that a module keeps, read from its source: to import this one takes as long as all the rest."""
    spec = find_spec(module)
    if spec is not None and isinstance(spec.loader, SourceFileLoader):
        for line in spec.loader.get_data(spec.loader.path).splitlines():
            if line.startswith(f"{name} = ".encode()):
                return str(literal_eval(line.decode().partition(" = ")[2]))
    return str(getattr(import_module(module), name))


def load(path: Path | None) -> Settings:
    """The configuration: of ``path``, else of $WHEELKEEP_CONFIG, else of ./wheelkeep.toml, else the built-in one.

    Raises ConfigError.
    """
    path = _chosen(path)
    if path is None:
        return default_settings(base=Path.cwd(), pypi_url=pypi_url())
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        says = f"the configuration cannot be read: {error.strerror or 'no reason given'}"
        raise ConfigError([Mistake(str(path), None, "", says)]) from None
    except UnicodeDecodeError:
        raise ConfigError([Mistake(str(path), None, "", "is not text in UTF-8")]) from None
    settings = read_settings(text, file=str(path), base=path.parent, secret=_secret, pypi_url=pypi_url())
    mistakes = [
        Document(text, file=str(path)).mistake(("trust_roots", at), unfit)
        for at, root in enumerate(settings.trust_roots)
        if root is not None and (unfit := _unfit(root)) is not None
    ]
    if mistakes:
        raise ConfigError(mistakes)
    return settings


def shown(path: Path | None) -> str:
    """What a person is told that the configuration is; ``path`` as for ``load``."""
    return str(_chosen(path) or "the built-in default")


def _chosen(path: Path | None) -> Path | None:
    if path is None and (named := os.environ.get(CONFIG_VARIABLE)):
        path = Path(named)
    if path is None and Path("wheelkeep.toml").exists():
        path = Path("wheelkeep.toml")
    return path.absolute() if path is not None else None


def _unfit(root: Path) -> str | None:
    """Why a file is no trust root, as far as that can be told without the library that reads it."""
    try:
        kind = json.loads(root.read_bytes())["mediaType"]
    except OSError as error:
        return f"{root} cannot be read: {error.strerror}"
    except (ValueError, LookupError, TypeError, RecursionError):
        kind = None
    if not str(kind).startswith(_TRUST_ROOT):
        return f"{root} is not a trust root of Sigstore (trusted_root.json)"
    return None


def _secret(reference: str) -> str:
    """The value behind ``env:NAME`` or ``file:PATH``; raises KeyError, OSError or ValueError."""
    kind, _, rest = reference.partition(":")
    if kind == "env":
        return os.environ[rest]
    if kind == "file":
        return Path(rest).expanduser().read_text(encoding="utf-8").strip()
    raise ValueError(reference)


def kinds(settings: Settings) -> dict[SourceName, bool]:
    """Every source, and whether it is remote."""
    return {name: isinstance(source, RemoteSource) for name, source in settings.sources.items()}


def unadvised(settings: Settings, holders: Mapping[IndexName, PolicyHolder]) -> list[str]:
    """A warning for each source of which a policy wants to know the advisories, where no dump is imported.

    A remote index that is not the public one may have them beside its ``simple/`` or not: nobody is asked here.
    """
    found: dict[str, None] = {}
    for name, index in settings.indexes.items():
        policy = holders[name].current
        for source in (member for group in index.sources for member in group if member in policy.advised):
            remote = settings.sources[source]
            if not isinstance(remote, RemoteSource) or not remote.url.endswith("/simple/"):
                has = "has no pypi/{project}/json beside it"
            elif remote.url == pypi_url():
                continue
            else:
                has = "is not known to have pypi/{project}/json beside it; if it has none"
            says = (
                f"{index.policy}: advisories: the source {source} {has}, and no dump is imported: nobody can tell "
                "what is known against its files, so the gate advisories blocks them and fixes lets none pass at "
                "once; run wheelkeep advisories import, or name other sources in the table"
            )
            found[says] = None
    return list(found) if found and not imported(settings.data) else []


def absent_folders(settings: Settings) -> list[str]:
    """A warning for each source whose folder is not there: its index blocks what might lie in it."""
    found = []
    for name, source in settings.sources.items():
        if isinstance(source, DirectorySource) and isinstance(source.path, Path):
            why = _no_folder(source.path)
            if why is None:
                continue
            says = f"{source.path}: {why}: until it can be read nobody can tell what this source has"
            found.append(str(_told(settings, ("sources", name, "path"), says)))
    return found


def require_data(settings: Settings) -> None:
    """Raises ConfigError where the data folder is something else, as far as that can be told by looking."""
    if (why := _no_folder(settings.data)) not in (None, os.strerror(errno.ENOENT)):
        raise ConfigError([_told(settings, ("data",), f"{settings.data}: {why}: name another place")])


def _no_folder(path: Path) -> str | None:
    try:
        is_one = S_ISDIR(path.stat().st_mode)
    except OSError as error:
        return error.strerror or "no reason given"
    return None if is_one else os.strerror(errno.ENOTDIR)


def undelivered(settings: Settings) -> list[str]:
    """A warning where the webhook for alerts takes none."""
    if settings.alerts is None:
        return []
    from wheelkeep.store.deliveries import failing  # noqa: PLC0415 - SQL costs more than the rest of a start

    if (found := failing(settings.data)) is None:
        return []
    since, why = found
    return [
        f"{settings.origin}: alerts.webhook: nothing was taken since {since:%Y-%m-%dT%H:%M:%SZ}: {why}; alerts are "
        "kept and sent once it answers with a status of 2xx"
    ]


def policies(settings: Settings) -> dict[IndexName, PolicyHolder]:
    """Every index's policy, read; raises ConfigError with the mistakes of all of them."""
    found: dict[IndexName, PolicyHolder] = {}
    mistakes: list[Mistake] = []
    for name, index in settings.indexes.items():
        if (absent := _absent_policy(settings, name)) is not None:
            mistakes.append(absent)
            continue
        try:
            found[name] = PolicyHolder(index.policy, kinds(settings))
        except ConfigError as error:
            mistakes += [mistake for mistake in error.mistakes if mistake not in mistakes]
    if mistakes:
        raise ConfigError(mistakes)
    return found


def _absent_policy(settings: Settings, index: IndexName) -> Mistake | None:
    """The mistake of naming a policy that is no file or may not be read, where the configuration makes it."""
    policy = settings.indexes[index].policy
    if policy is None or settings.origin is None:
        return None
    try:
        policy.open("rb").close()
    except OSError as error:
        says = f"{policy}: the policy cannot be read: {error.strerror or 'no reason given'}"
        return _told(settings, ("indexes", index, "policy"), says)
    return None


def _told(settings: Settings, key: tuple[str, ...], says: str) -> Mistake:
    """Something to say of a key of the configuration, with its line; the built-in one has neither."""
    if settings.origin is None:
        return Mistake(shown(None), None, ".".join(key), says)
    document = Document(settings.origin.read_text(encoding="utf-8"), file=str(settings.origin))
    return document.mistake(key, says)


def files(settings: Settings) -> list[Path]:
    """Every file that the configuration is made of: itself, policies and what they name, trust roots.

    Files that hold a secret are not among them. A policy that is broken names nothing, and is there itself.
    """
    found = [settings.origin]
    for index in settings.indexes.values():
        if index.policy is not None:
            found += [index.policy, index.policy.with_name("policy.expect")]
            with contextlib.suppress(ConfigError):
                found += PolicyHolder(index.policy, kinds(settings)).files
    found += settings.trust_roots
    return [path for path in dict.fromkeys(found) if path is not None and path.is_file()]


def policy_warnings(holders: Mapping[IndexName, PolicyHolder]) -> tuple[str, ...]:
    """What is allowed but unwise in the policies, each once."""
    told = (str(warning) for holder in holders.values() for warning in holder.warnings)
    return tuple(dict.fromkeys(told))
