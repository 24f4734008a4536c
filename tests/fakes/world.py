"""Small worlds of packages to install from: versions, dependencies, sdists, and what an installer must pass over."""

import random

from fakes.dists import metadata, module, sdist, wheel
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


SIXTY = 60


def sixty(outside: Outside) -> dict[str, str]:
    """Puts packages that all hang on ``part-00`` into an index; gives the versions that an installer takes of them.

    Among them are names that are written in other ways, newer versions that nobody may take, wheels for platforms, one
    that Windows alone needs, one that is there as an sdist alone, extras, launchers, and files beside the packages.
    """
    for number in range(SIXTY):
        name, needs = f"part-{number:02}", []
        for other in (2 * number + 1, 2 * number + 2):
            if other < SIXTY:
                written = f"Part.{other:02}" if other % 5 == 1 else f"part_{other:02}[more]"
                needs.append(written + ("<2" if other % 7 == 2 else ">=1"))
        needs.append(f'part-{(number + 7) % SIXTY:02}; extra == "more"')
        needs += ['only-windows; sys_platform == "win32"'] * (number == 9)
        _part(outside, name, number, needs)
    outside.add(*wheel("only-windows", "1.0"), metadata=metadata("only-windows", "1.0").encode())
    return {f"part-{number:02}": "1.0" for number in range(SIXTY)}


def _part(outside: Outside, name: str, number: int, needs: list[str]) -> None:
    told, stem = "Provides-Extra: more\n", f"{module(name)}-1.0"
    files = {f"{module(name)}/__init__.py": f"NUMBER = {number}\n".encode()}
    files[f"{module(name)}/data.bin"] = random.Random(number).randbytes(200 * number)
    if number % 10 == 5:
        files[f"{stem}.dist-info/entry_points.txt"] = (
            f"[console_scripts]\n{name} = {module(name)}:run\n".encode()
        )
        files[f"{stem}.data/data/share/{name}.txt"] = name.encode()
    says = (metadata(name, "1.0", needs) + told).encode()
    if number == SIXTY - 1:
        outside.add(*sdist(name, "1.0", requires=needs, files=files, form="2.2", told=told))
        return
    tags = ["py3-none-any"]
    tags += [f"py3-none-{one}" for one in ("manylinux_2_17_x86_64", "win_amd64")] if number % 6 == 3 else []
    for tag in tags:
        outside.add(*wheel(name, "1.0", requires=needs, told=told, files=files, tag=tag), metadata=says)
    if number % 7 == 2:
        outside.add(*wheel(name, "2.0"), metadata=metadata(name, "2.0").encode())
