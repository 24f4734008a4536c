"""A small world of packages to install from: versions, dependencies, sdists, and what an installer must pass over."""

import random

from fakes.dists import metadata, sdist, wheel
from fakes.outside import Outside

APP = {"app": "2.0", "lib": "1.1", "plain-name": "1.0", "only-source": "1.0"}
"""What ``app`` comes to, with its dependencies."""
BIG = bytes(random.Random(7).randbytes(600_000))


def fill(outside: Outside) -> None:
    """Puts the world into an index."""
    outside.add(*wheel("app", "1.0"))
    needs = ["lib<2", "Plain.Name", "only-source"]
    made = wheel("app", "2.0", requires=needs)
    outside.add(*made, metadata=metadata("app", "2.0", needs).encode())
    for version in ("1.0", "1.1", "2.0"):
        outside.add(*wheel("lib", version, files={"lib/__init__.py": b"", "lib/data.bin": BIG}))
    outside.add(*wheel("lib", "1.2"), yanked="broken on Tuesdays")
    outside.add(*wheel("plain-name", "1.0"))
    outside.add(*sdist("only-source", "0.9"))
    outside.add(*sdist("only-source", "1.0"))
    # Versions that the newest client of today must not take.
    outside.add(*wheel("fits", "1.0", requires_python=">=3.8"), requires_python=">=3.8")
    outside.add(*wheel("fits", "2.0", requires_python=">=3.99"), requires_python=">=3.99")
    outside.add(*wheel("early", "1.0"))
    outside.add(*wheel("early", "2.0rc1"))
