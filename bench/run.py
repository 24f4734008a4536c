"""wheelkeep beside nginx, on this machine, in one run: prints ratios and writes bench/results/latest.json.

nginx serves ready files and knows no policy: it is the measure of what is possible. Both have one worker and
serve the same bytes on loopback, and are measured by turns; a ratio is the median of the ratios of the turns.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from corpus import Origin, configuration
from measures import FULL, SMOKE, Bench, Row, Site, prepare, projects
from servers import Keep, Line, Nginx

LINE = 100  # MB a second: what a gigabit brings, less its overhead
RESULTS = Path(__file__).with_name("results")


def main() -> None:
    parser = argparse.ArgumentParser(description="wheelkeep beside nginx: the ratios")
    parser.add_argument("--smoke", action="store_true", help="very short: shows only that everything works")
    parser.add_argument(
        "--command",
        default=str(Path(sys.executable).with_name("wheelkeep")),
        help="the wheelkeep to measure",
    )
    given = parser.parse_args()
    missing = [name for name in ("nginx", "wrk") if shutil.which(name) is None]
    if missing:
        print(f"bench: not run: {' and '.join(missing)} must be installed first")
        raise SystemExit(1 if os.environ.get("WHEELKEEP_CI") else 0)
    size = SMOKE if given.smoke else FULL
    with tempfile.TemporaryDirectory(prefix="wheelkeep-bench-") as name:
        folder = Path(name).resolve()
        near, far = Origin(folder / "origin"), Origin(folder / "line")
        prepare(near, size)
        with Nginx(folder) as nginx, Line(folder, LINE) as line:
            config = configuration(folder, nginx.url, line.url, projects(size))
            with Keep(folder, config, given.command) as keep:
                sites = Site("near", near, nginx), Site("line", far, line, f" at {LINE} MB/s")
                rows = measure(Bench(nginx, keep, *sites, size))
    if given.smoke:
        print("a smoke run: the figures say nothing")
    write(rows, smoke=given.smoke)


def measure(bench: Bench) -> list[Row]:
    rows: list[Row] = []
    steps = (
        bench.small_page,
        bench.large_page,
        bench.warm_file,
        bench.cold_file,
        bench.crowd,
        bench.memory,
    )
    print(f"{'':60} {'wheelkeep':>10} {'beside':>10} {'ratio':>10}   target")
    for step in steps:
        for row in step():
            value = f"{row.value:.0f}" if row.value == int(row.value) else f"{row.value:.2f}"
            shown = f"{value} {row.unit}".strip()
            verdict = "" if row.met else "  missed"
            print(
                f"{row.name:60} {row.keep:>10} {row.other:>10} {shown:>10}   {row.target}{verdict}",
                flush=True,
            )
            rows.append(row)
    return rows


def write(rows: list[Row], *, smoke: bool) -> None:
    RESULTS.mkdir(exist_ok=True)
    document = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "smoke": smoke,
        "machine": {
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
            "nginx": subprocess.run(["nginx", "-v"], capture_output=True, text=True).stderr.strip(),
        },
        "rows": [asdict(row) for row in rows],
    }
    (RESULTS / "latest.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
