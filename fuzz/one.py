"""One target under atheris, in a process of its own: ``python -m fuzz.one TARGET`` and libFuzzer's arguments."""

import resource
import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
_MEMORY = 2 << 30
"""Bytes of address space: an input that wants more fails."""

with atheris.instrument_imports(
    include=["wheelkeep", "packaging", "multipart", "zipfile", "tarfile", "email"]
):
    from fuzz.targets import TARGETS


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
