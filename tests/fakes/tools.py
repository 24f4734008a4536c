"""Programs that tests need beside Python: found, or the test is left out; under WHEELKEEP_CI=1 it fails instead."""

import asyncio
import functools
import os
import shutil
from typing import NoReturn

import pytest

from wheelkeep.index.sandbox import NoSandbox, ready


def tool(*names: str) -> str:
    """The path of the first of these programs that is installed."""
    found = next((path for name in names if (path := shutil.which(name)) is not None), None)
    return found or lacking(f"{' or '.join(names)} is not installed")


def lacking(what: str) -> NoReturn:
    """Ends the test for want of something: passed over on anybody's machine, a failure where all must be there."""
    if os.environ.get("WHEELKEEP_CI") == "1":
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


@functools.cache
def _no_sandbox() -> str:
    try:
        asyncio.run(ready())
    except NoSandbox as error:
        return str(error)
    return ""


def sandbox() -> None:
    """Ends the test where untrusted builds cannot be walled in, with what forbids it."""
    if why := _no_sandbox():
        lacking(why)
