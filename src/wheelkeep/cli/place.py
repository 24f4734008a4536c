"""Where a command is to write: a folder, or ``s3://bucket/prefix``."""

from pathlib import Path

import typer

from wheelkeep.core.buckets import Bucket, is_bucket, read_bucket


def read_place(destination: str, data: Path) -> Path | Bucket:
    """Others read what is put there, so it may have nothing to do with the data folder. Raises BadParameter."""
    if is_bucket(destination):
        try:
            return read_bucket(destination)
        except ValueError as error:
            raise typer.BadParameter(f"{destination[:80]} {error}") from None
    path = Path(destination)
    if path.exists() and not path.is_dir():
        raise typer.BadParameter(f"{destination} is a file: name a folder")
    inner, outer = path.resolve(), data.resolve()
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise typer.BadParameter(f"{destination} and the data folder lie in each other: name another place")
    return path
