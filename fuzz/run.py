"""``make fuzz``: every target for SECONDS, or the ones that are named; what fails is kept in fuzz/crashes.

Each input may take ten seconds and a gigabyte. Exit code 1: something was found; 2: it cannot run here.
"""

import hashlib
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fuzz.seeds import SEEDS  # noqa: E402 - the folders are on the path now

CRASHES = ROOT / "fuzz" / "crashes"
CORPUS = ROOT / "fuzz" / "corpus"
_LIMITS = ("-timeout=10", "-rss_limit_mb=1024", "-max_len=20000", "-print_final_stats=1")
_RUN = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)
_PEAK = re.compile(r"^stat::peak_rss_mb:\s*(\d+)", re.MULTILINE)


def main() -> int:
    if find_spec("atheris") is None:
        print(
            f"fuzz: atheris is not to be had for {sys.implementation.name} {sys.version.split()[0]} on {sys.platform}."
            " It is for CPython 3.11 to 3.14 on Linux and x86-64; `make test` tries the same readers without it.",
            file=sys.stderr,
        )
        return 2
    seconds = int(os.environ.get("SECONDS", "60"))
    named = sys.argv[1:] or list(SEEDS)
    if unknown := [name for name in named if name not in SEEDS]:
        print(f"fuzz: there is no target {unknown[0]}; there are {', '.join(SEEDS)}", file=sys.stderr)
        return 2
    print(f"{'target':20}{'inputs':>10}{'peak':>10}  found")
    found = [name for name in named if fuzz(name, seconds)]
    if found:
        print(f"\nfound in {', '.join(found)}: see fuzz/crashes; to try one again:")
        print(f"  .venv/bin/python -m fuzz.one {found[0]} fuzz/crashes/FILE")
    return 1 if found else 0


def fuzz(name: str, seconds: int) -> bool:
    """Runs one target; whether something was found."""
    corpus = CORPUS / name
    corpus.mkdir(parents=True, exist_ok=True)
    CRASHES.mkdir(exist_ok=True)
    for seed in SEEDS[name]:
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    before = set(CRASHES.iterdir())
    command = [sys.executable, "-m", "fuzz.one", name, str(corpus), *_LIMITS, f"-max_total_time={seconds}"]
    command.append(f"-artifact_prefix={CRASHES}/{name}-")
    ran = subprocess.run(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    new = sorted(set(CRASHES.iterdir()) - before)
    for path in new:
        path.with_name(f"{path.name}.txt").write_text(ran.stdout[-20_000:])
    count, peak = _RUN.search(ran.stdout), _PEAK.search(ran.stdout)
    failed = bool(new) or ran.returncode != 0
    told = ", ".join(path.name for path in new) or (f"exit code {ran.returncode}" if failed else "nothing")
    if failed and not new:
        print(ran.stdout[-3000:], file=sys.stderr)
    print(
        f"{name:20}{count[1] if count else '?':>10}{f'{peak[1]} MB' if peak else '?':>10}  {told}", flush=True
    )
    return failed


if __name__ == "__main__":
    sys.exit(main())
