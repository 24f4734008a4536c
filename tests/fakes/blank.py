"""A data folder without anything in it, made once and copied: migrating an empty one costs more than most tests."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from wheelkeep.store.prepare import prepare


@cache
def _database() -> bytes:
    with TemporaryDirectory() as folder:
        return prepare(Path(folder) / "data").read_bytes()


def blank(data: Path) -> None:
    """Makes a data folder where there is none yet, as the first start would have left it."""
    if not data.exists():
        data.mkdir(parents=True, mode=0o700)
        (data / "wheelkeep.sqlite").write_bytes(_database())
