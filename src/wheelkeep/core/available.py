"""What a configuration may ask for in principle, but not of this version.

Everything is read and checked as if it were there; then it is refused here, so that nothing is silently not
enforced. A version that brings a thing deletes its entry.
"""

from wheelkeep.core.errors import Mistake
from wheelkeep.core.settings import EXPERIMENT, Settings
from wheelkeep.core.toml_lines import KeyPath
from wheelkeep.core.toml_source import Document

_EXPERIMENTS = frozenset({EXPERIMENT})


def unavailable_settings(settings: Settings, document: Document) -> list[Mistake]:
    """A mistake for each setting that this version does not have, saying what to write instead."""
    found: list[tuple[KeyPath, str]] = []
    if settings.database != "sqlite":
        found.append((("database",), 'a PostgreSQL database is not in this version: use "sqlite"'))
    if settings.store != "local":
        found.append((("store",), 'a store in S3 is not in this version: use "local"'))
    return [document.mistake(path, says) for path, says in found]


def warn_of_experiments(settings: Settings, document: Document) -> None:
    """Notes the words in ``experimental`` that switch nothing on."""
    for at, word in enumerate(settings.experimental):
        if word not in _EXPERIMENTS:
            document.warn(
                ("experimental", at), f'this version has no experiment "{word}": it changes nothing'
            )
