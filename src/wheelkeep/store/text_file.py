"""A text file that people and programs both write: read, and replaced as a whole, if it is still what was read."""

import contextlib
import os
import secrets
from pathlib import Path

from wheelkeep.core.errors import WheelkeepError


class TextFile:
    """A file as it was read; ``text`` has its own line breaks."""

    def __init__(self, path: Path) -> None:
        """Raises WheelkeepError where it cannot be read."""
        self.path = path
        try:
            # A link stays one: what it leads to is what is written.
            self._file = path.resolve(strict=True)
            self._before = self._file.read_bytes()
            self.text = self._before.decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise WheelkeepError(f"{path} cannot be read: {error}") from None

    def replace(self, text: str) -> None:
        """Puts another text in its place, whole or not at all, with the same permissions.

        Raises WheelkeepError where it cannot be written, or somebody else changed it since it was read.
        """
        beside = self._file.with_name(f".{self._file.name}.{secrets.token_hex(6)}")
        try:
            try:
                self._write(beside, text.encode("utf-8"))
                if self._file.read_bytes() != self._before:
                    raise WheelkeepError(
                        f"{self.path} was changed by somebody else meanwhile: nothing was written; run this again"
                    )
                beside.replace(self._file)
            finally:
                beside.unlink(missing_ok=True)
            with contextlib.suppress(
                OSError
            ):  # where a folder cannot be synced, the file is in its place all the same
                _sync(self._file.parent)
        except OSError as error:
            raise WheelkeepError(f"{self.path} cannot be written: {error}") from None

    def _write(self, beside: Path, body: bytes) -> None:
        state = self._file.stat()
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(body)
            with contextlib.suppress(OSError):  # who is not its owner cannot give it away
                os.fchown(file.fileno(), state.st_uid, state.st_gid)
            os.fchmod(file.fileno(), state.st_mode & 0o7777)
            file.flush()
            os.fsync(file.fileno())


def write_text(path: Path, text: str) -> None:
    """Writes a file, whole or not at all, whatever was there before. Raises WheelkeepError where it cannot be."""
    # A link stays one: what it leads to is what is written.
    target = path.resolve()
    beside = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    try:
        mode = target.stat().st_mode & 0o7777 if target.exists() else 0o644
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(text.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            _sync(target.parent)
    except OSError as error:
        raise WheelkeepError(f"{path} cannot be written: {error.strerror or error}") from None


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
