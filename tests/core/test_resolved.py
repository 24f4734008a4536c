"""What uv prints of a resolution, read."""

import pytest

from wheelkeep.core.names import ProjectName
from wheelkeep.core.resolved import Resolved, read_resolved

SAID = """\
# a remark
anyio==4.9.0              # via httpx, starlette
App==2.0                  # via -r -
ipython==8.39 ; python_full_version < '3.11'  # via app
ipython==9.1.0 ; python_full_version >= '3.11'
    # via app[fast], -r -
tomli==2.2.1 ; python_full_version < '3.11' and os_name == 'nt'  # via app
torch==2.3.0+cpu
"""


def test_versions_markers_and_who_needs_them() -> None:
    found = read_resolved(SAID)
    assert [(one.project, one.version, one.via) for one in found] == [
        ("anyio", "4.9.0", ("httpx", "starlette")),
        ("app", "2.0", ()),
        ("ipython", "8.39", ("app",)),
        ("ipython", "9.1.0", ()),
        ("tomli", "2.2.1", ("app",)),
        ("torch", "2.3.0+cpu", ()),
    ]
    assert found[2].marker == "python_full_version < '3.11'"
    assert found[0].marker == ""


def test_a_version_named_twice_is_one() -> None:
    lines = "a==1 ; os_name == 'nt'  # via b\na==1.0  # via c\n"
    assert read_resolved(lines)[0] == Resolved(
        project=ProjectName("a"), version="1", marker="os_name == 'nt'", via=(ProjectName("b"),)
    )
    twice = "a==1 ; os_name == 'nt'  # via b\na==1 ; os_name == 'x'  # via c\n"
    (one,) = read_resolved(twice)
    assert (one.marker, one.via) == ("(os_name == 'nt') or (os_name == 'x')", ("b", "c"))


@pytest.mark.parametrize("line", ["a @ https://elsewhere.example/a.whl", "-e .", "a>=1", "a=="])
def test_anything_else_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="resolved to"):
        read_resolved(line)
