"""Asks which of the locked versions have known weaknesses: audit.py [--service URL] [LOCK ...]. Exit codes: 0 all were
asked for, and none has one; 1 one has; 3 it could not be asked, so that nothing is known.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = [ROOT / "requirements" / name for name in ("run.txt", "dev.txt", "build.txt")]
_LOCKED = re.compile(r"(?m)^([A-Za-z0-9._-]+==[^\\\n]+?) \\$")
_PROJECT = """\
[project]
name = "locked"
version = "0"
requires-python = ">=3.11"
dependencies = {pins}
"""


def audit(lock: Path, service: str | None) -> tuple[int, list[str]]:
    """The exit code for one lock, and what there is to say of it."""
    pins = _LOCKED.findall(lock.read_text())
    command = [str(Path(sysconfig.get_path("scripts")) / "uv"), "audit", "--output-format", "json"]
    if service is not None:
        command += ["--service-url", service]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pyproject.toml").write_text(_PROJECT.format(pins=json.dumps(pins, indent=4)))
        env = os.environ | {"UV_HTTP_RETRIES": "1"}
        ran = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    return verdict(ran.stdout, ran.stderr, len(pins))


def verdict(answer: str, errors: str, pins: int) -> tuple[int, list[str]]:
    """What an answer on so many versions comes to. No answer is not a good one, nor is one on fewer."""
    try:
        told = json.loads(answer)
        asked, found = (
            told["summary"]["audited_packages"],
            [*told["vulnerabilities"], *told["adverse_statuses"]],
        )
        if found:
            return 1, [_line(one) for one in found]
    except (ValueError, LookupError, TypeError):
        return 3, [
            line.strip() for line in errors.splitlines() if line.lstrip().startswith(("error", "cause"))
        ]
    if asked < pins:
        return 3, [f"{asked} of {pins} versions were audited"]
    return 0, [f"nothing is known against {asked} versions"]


def _line(one: dict[str, object]) -> str:
    """One weakness in a line, whatever else it may say."""
    what = one.get("dependency") or one.get("package") or {}
    name = f"{what.get('name')} {what.get('version')}" if isinstance(what, dict) else str(what)
    fixed = one.get("fix_versions")
    mended = f"; mended in {', '.join(map(str, fixed))}" if isinstance(fixed, list) and fixed else ""
    return f"{name}: {one.get('id') or one.get('status')}: {one.get('summary') or 'no summary'}{mended}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("locks", nargs="*", type=Path, default=LOCKS, metavar="LOCK")
    parser.add_argument("--service", metavar="URL", help="another service that speaks OSV's protocol")
    given = parser.parse_args()
    codes = set()
    for lock in given.locks:
        code, lines = audit(lock, given.service)
        codes.add(code)
        for line in lines:
            print(f"{lock.name}: {line}")
        if code == 3:
            break
    if 1 in codes:
        return 1
    if 3 in codes:
        print(
            "audit: the advisory service could not be asked: the locked versions are NOT audited",
            file=sys.stderr,
        )
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
