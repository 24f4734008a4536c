"""The machines that files are fetched for: Pythons and platforms, by the tags of wheels (PEP 425, 600, 656) and the
markers of requirements (PEP 508). Nothing here asks on which machine it runs.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import parse_wheel_filename

_PYTHON = re.compile(r"3\.(\d{1,2})")
_LINUX = re.compile(r"(manylinux|musllinux)_(\d{1,2})_(\d{1,3})_(\w+)", re.ASCII)
_LEGACY = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_MAC = re.compile(r"macosx_(\d{1,2})_(\d{1,2})_(x86_64|arm64)", re.ASCII)
_WINDOWS = {"win_amd64": "AMD64", "win32": "x86", "win_arm64": "ARM64"}
_PLAIN_LINUX = re.compile(r"linux_(\w+)", re.ASCII)
_OLDEST_GLIBC = 5
_EXAMPLES = "manylinux_2_28_x86_64, musllinux_1_2_aarch64, macosx_14_0_arm64, win_amd64"


class Machine(Struct, frozen=True, kw_only=True):
    """One Python on one platform."""

    tags: frozenset[Tag]
    """Of every wheel that it installs."""
    environment: Mapping[str, str]
    """What markers ask for, as far as a target tells it."""


class Targets(Struct, frozen=True, kw_only=True):
    """Several of them; none at all stands for every machine there is."""

    machines: tuple[Machine, ...] = ()
    sdists: bool = False
    """Sdists as well where a machine installs a wheel."""

    def takes(self, filename: str) -> bool:
        """Whether one of them installs the wheel; raises packaging's InvalidWheelFilename."""
        if not self.machines:
            return True
        tags = parse_wheel_filename(filename)[3]
        return any(not machine.tags.isdisjoint(tags) for machine in self.machines)

    def lacks(self, filenames: Sequence[str]) -> bool:
        """Whether one of them installs none of the wheels, so that it would need the sdist; or sdists are wanted."""
        if not self.machines or self.sdists:
            return True
        each = [parse_wheel_filename(filename)[3] for filename in filenames]
        return any(all(machine.tags.isdisjoint(tags) for tags in each) for machine in self.machines)

    def wants(self, marker: str) -> bool:
        """Whether a requirement with the marker is one of any of them. What a target does not tell is wanted."""
        if not marker or not self.machines:
            return True
        return any(_holds(marker, machine.environment) for machine in self.machines)


EVERYWHERE = Targets()


def read_targets(pythons: Sequence[str], platforms: Sequence[str]) -> Targets:
    """Every Python (``3.11``) on every platform (``manylinux_2_28_x86_64``). Raises ValueError with a sentence.

    Without platforms, the wheels for these Pythons that run anywhere, and those for every platform, are not told
    apart: both lists are needed, or none.
    """
    if not pythons and not platforms:
        return EVERYWHERE
    if not pythons or not platforms:
        raise ValueError(
            "Pythons and platforms belong together: say both --python and --platform, or neither"
        )
    return Targets(machines=tuple(_machine(python, platform) for python in pythons for platform in platforms))


def _machine(python: str, platform: str) -> Machine:
    found = _PYTHON.fullmatch(python)
    if found is None:
        raise ValueError(f'"{python[:40]}" is no version of Python: write 3.11')
    version = (3, int(found[1]))
    names, told = _platforms(platform)
    interpreter = f"cp3{version[1]}"
    tags = [
        *cpython_tags(version, platforms=names),
        *compatible_tags(version, interpreter=interpreter, platforms=names),
    ]
    environment = {
        "python_version": python,
        # Which patch release it is nobody said; the newest, as requirements bound them from below.
        "python_full_version": f"{python}.99",
        "implementation_name": "cpython",
        "implementation_version": f"{python}.99",
        "platform_python_implementation": "CPython",
        "extra": "",
        **told,
    }
    return Machine(tags=frozenset(tags), environment=environment)


def _platforms(platform: str) -> tuple[list[str], dict[str, str]]:
    """The platform tags of wheels that run there, and what markers call it."""
    if (mac := _MAC.fullmatch(platform)) is not None:
        return list(mac_platforms((int(mac[1]), int(mac[2])), mac[3])), {
            "sys_platform": "darwin",
            "os_name": "posix",
            "platform_system": "Darwin",
            "platform_machine": mac[3],
        }
    if platform in _WINDOWS:
        return [platform], {
            "sys_platform": "win32",
            "os_name": "nt",
            "platform_system": "Windows",
            "platform_machine": _WINDOWS[platform],
        }
    names, machine = _linux(platform)
    return names, {
        "sys_platform": "linux",
        "os_name": "posix",
        "platform_system": "Linux",
        "platform_machine": machine,
    }


def _linux(platform: str) -> tuple[list[str], str]:
    for legacy, (major, minor) in _LEGACY.items():
        if platform.startswith(f"{legacy}_"):
            return _linux(f"manylinux_{major}_{minor}_{platform.removeprefix(f'{legacy}_')}")
    if (plain := _PLAIN_LINUX.fullmatch(platform)) is not None:
        return [platform], plain[1]
    found = _LINUX.fullmatch(platform)
    if found is None:
        raise ValueError(f'"{platform[:60]}" is no platform: write one such as {_EXAMPLES}')
    kind, major, minor, machine = found[1], int(found[2]), int(found[3]), found[4]
    oldest = _OLDEST_GLIBC if kind == "manylinux" else 0
    return [*_older(kind, major, minor, oldest, machine), f"linux_{machine}"], machine


def _older(kind: str, major: int, minor: int, oldest: int, machine: str) -> Iterator[str]:
    """A libc runs what was built for it and for every older one (PEP 600, PEP 656)."""
    for one in range(minor, oldest - 1, -1):
        yield f"{kind}_{major}_{one}_{machine}"
        if kind == "manylinux":
            yield from (f"{name}_{machine}" for name, told in _LEGACY.items() if told == (major, one))


def _holds(marker: str, environment: Mapping[str, str]) -> bool:
    try:
        return Marker(marker).evaluate({"platform_release": "", "platform_version": "", **environment})
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, RecursionError):
        return True
