"""What every test may use: it puts this folder on the path, for ``from fakes.outside import Outside``."""

import gc
import os
import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

# How long one example takes is the machine's affair: a busy one must not fail a law.
settings.register_profile("house", deadline=None, max_examples=int(os.environ.get("EXAMPLES", "50")))
settings.load_profile("house")

# Thousands of tests and all that they import stay to the end: to look through them for garbage again and again takes
# a tenth of a worker's time.
gc.set_threshold(50_000, 20, 100)


def pytest_collection_finish() -> None:
    gc.freeze()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Packed bytes hold the time at which they were packed: as a test's name they would differ between workers."""
    return argname if isinstance(val, bytes) and len(val) > 20 else None


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: journeys mostly wait for servers and clients."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1
