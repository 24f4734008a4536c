"""The transparency log's files, all in DATA/log: its key, its hashes, and the checkpoint that was signed last.

The hashes of a level of tiles lie one after the other in ``level-N``, which is only ever added to: what a checkpoint
covers never changes, and what lies behind it counts for nothing yet.
"""

import fcntl
import json
import os
from collections.abc import Sequence
from pathlib import Path

from wheelkeep.core.checkpoint import Checkpoint, read_checkpoint
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.merkle import LENGTH
from wheelkeep.core.notes import COSIGNED, PLAIN, Note, PrivateKey, PublicKey, read_key, read_note


class LogFiles:
    """All methods read or write files: not for the event loop."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "log"

    def key(self, origin: str) -> PrivateKey:
        """The log's key, made now where there is none; ``origin`` is then the log's name for ever."""
        return self._private("key", PLAIN, origin)

    def witness_key(self, name: str) -> PrivateKey:
        """The key by which this keep cosigns other logs, made now where there is none."""
        return self._private("witness.key", COSIGNED, name)

    def public_key(self) -> PublicKey | None:
        """The log's public key; None: it has none yet."""
        return self._public("key")

    def public_witness_key(self) -> PublicKey | None:
        """The public key of this keep as a witness; None: it never was one."""
        return self._public("witness.key")

    def checkpoint(self) -> tuple[Note, Checkpoint] | None:
        """The newest checkpoint; None: there is none yet. Raises WheelkeepError for what is none."""
        return self._note("checkpoint")

    def cosigned(self) -> tuple[Note, Checkpoint] | None:
        """The newest checkpoint with cosignatures."""
        return self._note("cosigned")

    def witnessed(self, name: str) -> tuple[Note, Checkpoint] | None:
        """The newest checkpoint of another log that this keep cosigned; ``name``: the SHA-256 of its origin, in hex."""
        return self._note(f"witnessed/{name}")

    def write_checkpoint(self, note: Note) -> None:
        """Publishes a checkpoint; what it says must be on disk already."""
        self._write("checkpoint", str(note))

    def add_cosigned(self, note: Note, checkpoint: Checkpoint) -> None:
        """Keeps cosignatures: beside those of others of the same checkpoint, or in the place of an older one's."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "cosigned.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self.cosigned()
            if before is not None and before[1].size > checkpoint.size:
                return
            if before is not None and before[0].text == note.text:
                note = before[0].signed(*note.signatures)
            self._write("cosigned", str(note))

    def write_witnessed(self, name: str, note: Note) -> None:
        """Keeps what this keep cosigned of another log; ``name``: as of ``witnessed``."""
        self._write(f"witnessed/{name}", str(note))

    def hashes(self, level: int, start: int, end: int) -> list[bytes]:
        """The hashes of a level from one place to another; fewer where they are not there."""
        try:
            with (self.folder / f"level-{level}").open("rb") as file:
                body = os.pread(file.fileno(), (end - start) * LENGTH, start * LENGTH)
        except FileNotFoundError:
            return []
        return [body[at : at + LENGTH] for at in range(0, len(body) - LENGTH + 1, LENGTH)]

    def write_hashes(self, level: int, start: int, hashes: Sequence[bytes]) -> None:
        """Puts hashes to their place in a level, durably; what lay behind it goes."""
        descriptor = os.open(self.folder / f"level-{level}", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            body, at = b"".join(hashes), start * LENGTH
            while body:
                written = os.pwrite(descriptor, body, at)
                body, at = body[written:], at + written
            os.ftruncate(descriptor, at)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _private(self, name: str, kind: int, wanted: str) -> PrivateKey:
        try:
            kept = json.loads((self.folder / name).read_text(encoding="utf-8"))
            key = PrivateKey(kept["name"], kind, bytes.fromhex(kept["seed"]))
        except FileNotFoundError:
            key = PrivateKey(wanted, kind, os.urandom(32))
            self._write(name, json.dumps({"name": wanted, "seed": key.seed.hex()}))
        except (ValueError, LookupError, TypeError, OSError) as error:
            raise WheelkeepError(f"{self.folder / name} is no key any more: {error}") from None
        if self._public(name) != key.public:
            self._write(f"{name}.pub", f"{key.public}\n")
        return key

    def _public(self, name: str) -> PublicKey | None:
        try:
            return read_key((self.folder / f"{name}.pub").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None

    def _note(self, name: str) -> tuple[Note, Checkpoint] | None:
        try:
            note = read_note((self.folder / name).read_text(encoding="utf-8"))
            return note, read_checkpoint(note.text)
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise WheelkeepError(f"{self.folder / name} is damaged: {error}") from None

    def _write(self, name: str, text: str) -> None:
        """Whole and durable, or as it was before."""
        path = self.folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.new")
        descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor with its mode
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
