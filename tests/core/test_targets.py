"""Which wheels a Python on a platform installs, and which requirements are its own."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from packaging.tags import sys_tags

from wheelkeep.core.targets import EVERYWHERE, read_targets

LINUX = read_targets(["3.11"], ["manylinux_2_28_x86_64"])


@pytest.mark.parametrize(
    ("platform", "tag", "fits"),
    [
        ("manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_28_x86_64", True),
        ("manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", True),
        ("manylinux_2_28_x86_64", "cp36-abi3-manylinux1_x86_64", True),
        ("manylinux_2_28_x86_64", "cp311-cp311-linux_x86_64", True),
        ("manylinux_2_28_x86_64", "py3-none-any", True),
        ("manylinux_2_28_x86_64", "py2.py3-none-any", True),
        ("manylinux_2_28_x86_64", "py3-none-manylinux_2_5_x86_64", True),
        ("manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_31_x86_64", False),
        ("manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_28_aarch64", False),
        ("manylinux_2_28_x86_64", "cp311-cp311-musllinux_1_2_x86_64", False),
        ("manylinux_2_28_x86_64", "cp312-cp312-manylinux_2_28_x86_64", False),
        ("manylinux_2_28_x86_64", "cp312-abi3-manylinux_2_28_x86_64", False),
        ("manylinux_2_28_x86_64", "py2-none-any", False),
        ("manylinux2014_x86_64", "cp311-cp311-manylinux_2_12_x86_64", True),
        ("manylinux2014_x86_64", "cp311-cp311-manylinux_2_18_x86_64", False),
        ("musllinux_1_2_aarch64", "cp311-cp311-musllinux_1_1_aarch64", True),
        ("musllinux_1_2_aarch64", "cp311-cp311-manylinux_2_17_aarch64", False),
        ("macosx_14_0_arm64", "cp311-cp311-macosx_11_0_arm64", True),
        ("macosx_14_0_arm64", "cp311-cp311-macosx_10_9_universal2", True),
        ("macosx_14_0_arm64", "cp311-cp311-macosx_15_0_arm64", False),
        ("win_amd64", "cp311-cp311-win_amd64", True),
        ("win_amd64", "cp311-cp311-win32", False),
    ],
)
def test_what_a_platform_installs(platform: str, tag: str, fits: bool) -> None:
    targets = read_targets(["3.11"], [platform])
    wheel = f"demo-1.0-{tag}.whl"
    assert targets.takes(wheel) is fits
    assert targets.lacks([wheel]) is not fits


def test_every_tag_of_this_machine_is_taken_by_its_own_target() -> None:
    """Held against what packaging finds out by looking at the machine."""
    platforms = {
        tag.platform for tag in sys_tags() if tag.platform.startswith(("manylinux_", "macosx_", "win"))
    }
    if sys.implementation.name != "cpython" or not platforms:
        pytest.skip("the tags of this machine are of no kind that targets know")
    newest = max(platforms, key=lambda name: [int(part) for part in name.split("_") if part.isdigit()])
    targets = read_targets([f"3.{sys.version_info.minor}"], [newest])
    assert not [tag for tag in sys_tags() if not targets.takes(f"demo-1.0-{tag}.whl")]


@pytest.mark.parametrize(
    ("marker", "wanted"),
    [
        ("", True),
        ("python_version >= '3.11'", True),
        ("python_full_version >= '3.11.4'", True),
        ("python_version < '3.11'", False),
        ("sys_platform == 'win32'", False),
        ("platform_machine == 'x86_64' and platform_system == 'Linux'", True),
        ("os_name == 'nt'", False),
        ("implementation_name == 'pypy'", False),
        # What a target cannot know does not keep a requirement out.
        ("this is no marker", True),
    ],
)
def test_whose_requirement_it_is(marker: str, wanted: bool) -> None:
    assert LINUX.wants(marker) is wanted
    assert EVERYWHERE.wants(marker)


@given(st.lists(st.sampled_from(["3.9", "3.11", "3.13"]), min_size=1, unique=True))
def test_more_targets_never_take_less(pythons: list[str]) -> None:
    some, more = (
        read_targets(pythons, ["manylinux_2_17_x86_64"]),
        read_targets([*pythons, "3.12"], ["manylinux_2_17_x86_64", "win_amd64"]),
    )
    for tag in (
        "cp311-cp311-manylinux_2_17_x86_64",
        "py3-none-any",
        "cp313-cp313-win_amd64",
        "cp39-abi3-win32",
    ):
        wheel = f"demo-1.0-{tag}.whl"
        assert more.takes(wheel) >= some.takes(wheel)
        assert more.lacks([wheel]) >= some.lacks([wheel])


@pytest.mark.parametrize(
    ("pythons", "platforms", "says"),
    [
        (["3.11"], [], "belong together"),
        ([], ["win_amd64"], "belong together"),
        (["2.7"], ["win_amd64"], "no version of Python"),
        (["3.11.2"], ["win_amd64"], "no version of Python"),
        (["3.11"], ["linux"], "no platform"),
        (["3.11"], ["manylinux_2_x86_64"], "no platform"),
    ],
)
def test_what_is_no_target_is_said(pythons: list[str], platforms: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_targets(pythons, platforms)


def test_sdists_can_be_wanted_beside_wheels() -> None:
    both = replace(LINUX, sdists=True)
    assert both.takes("demo-1.0-py3-none-any.whl")
    assert both.lacks(["demo-1.0-py3-none-any.whl"])
