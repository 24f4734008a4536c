"""The Python that builds is asked what it is; what is no Python is told of."""

import sys
from pathlib import Path

import pytest
from packaging.tags import sys_tags

from wheelkeep.index.interpreter import NoInterpreter, find_interpreter


@pytest.mark.parametrize("wanted", [None, sys.executable, f"{sys.version_info[0]}.{sys.version_info[1]}"])
async def test_this_one_is_found(wanted: str | None) -> None:
    found = await find_interpreter(wanted)
    assert found.prefix == Path(sys.base_prefix)
    assert found.says == f"{sys.implementation.name} {'.'.join(map(str, sys.version_info[:3]))}"
    assert found.machine.tags == frozenset(sys_tags())
    assert found.machine.environment["sys_platform"] == sys.platform


@pytest.mark.parametrize("wanted", ["3.99", "/nowhere/python", "true", "nonsense", ""])
async def test_what_is_not_there_or_is_none_is_said(wanted: str) -> None:
    with pytest.raises(NoInterpreter, match="install it, or name the path"):
        await find_interpreter(wanted)
