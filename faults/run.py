"""Starts the real server, kills, stops and starves it, and proves afterwards that nothing was lost.

Prints what happened to each fault, and writes faults/results/latest.json. Exit 1 when anything that must hold did not.
"""

import argparse
import json
import os
import platform
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import clocks
import crowds
import damage
import disks
import kills
import torn
import upstreams
from scene import MIB, Scene, SkippedError, is_ci

RESULTS = Path(__file__).with_name("results")

FAULTS: dict[str, tuple[str, Callable[[Scene], None]]] = {
    "power-1": ("SIGKILL of all processes, one worker", lambda scene: kills.power(scene, 1)),
    "power-2": ("SIGKILL of all processes, two workers", lambda scene: kills.power(scene, 2)),
    "main-1": ("SIGKILL of the main process, one worker", lambda scene: kills.beheaded(scene, 1)),
    "main-2": ("SIGKILL of the main process, two workers", lambda scene: kills.beheaded(scene, 2)),
    "worker": ("SIGKILL of one of two workers", kills.worker),
    "full": ("a full disk", disks.full),
    "read-only": ("a read-only data folder", disks.read_only),
    "bits": ("flipped bits in stored files", damage.bits),
    "database": ("noise behind the log of the database", damage.database),
    "torn": ("a torn log of a database", torn.logs),
    "clock": ("a clock that jumps", clocks.jumps),
    "hangs": ("an origin that hangs, resets and breaks off", upstreams.hangs),
    "connecting": ("an origin that cannot be talked to", upstreams.connecting),
    "descriptors": ("256 open files under many connections", crowds.descriptors),
    "idle": ("idle connections", crowds.idle),
    "readers": ("clients that hardly read", crowds.readers),
    "senders": ("clients that hardly send", crowds.senders),
}
SHORT = ("power-2", "worker", "full", "bits", "descriptors")
"""What the short form is made of."""


def main() -> None:
    parser = argparse.ArgumentParser(description="faults, and the proof that nothing is lost")
    parser.add_argument("--smoke", action="store_true", help="the short form, about a minute")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--only", action="append", choices=FAULTS, help="one fault, or several")
    given = parser.parse_args()
    print(f"faults: seed {given.seed}, {'short' if given.smoke else 'full'} form, {machine()}", flush=True)
    began, report, failed = time.monotonic(), [], 0
    for name in given.only or (SHORT if given.smoke else FAULTS):
        outcome = one(name, seed=given.seed, smoke=given.smoke)
        failed += outcome["outcome"] == "failed"
        report.append(outcome)
    seconds = round(time.monotonic() - began)
    RESULTS.mkdir(exist_ok=True)
    document = {
        "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "machine": machine(),
        "seed": given.seed,
        "smoke": given.smoke,
        "seconds": seconds,
        "faults": report,
    }
    (RESULTS / "latest.json").write_text(json.dumps(document, indent=1) + "\n")
    print(f"\nfaults: {len(report) - failed} of {len(report)} hold, in {seconds} s, seed {given.seed}")
    raise SystemExit(1 if failed else 0)


def one(name: str, *, seed: int, smoke: bool) -> dict[str, object]:
    """Makes one fault; gives what came of it."""
    words, fault = FAULTS[name]
    print(f"\n{name}: {words}", flush=True)
    began = time.monotonic()
    outcome = "held"
    with tempfile.TemporaryDirectory(prefix="wheelkeep-faults-") as folder:
        scene = Scene(Path(folder).resolve(), seed, smoke)
        try:
            fault(scene)
        except SkippedError as why:
            outcome = "failed" if is_ci() else "skipped"
            print(f"  {outcome}: this machine does not let it be made: {why}")
        except Exception:
            outcome = "failed"
            traceback.print_exc()
    scene.tell("most memory of all processes", f"{scene.memory // MIB} MiB")
    seconds = time.monotonic() - began
    for what, figure in scene.told:
        print(f"  {what}: {figure}")
    print(f"  {outcome}, in {seconds:.1f} s", flush=True)
    return {
        "fault": name,
        "words": words,
        "outcome": outcome,
        "seconds": round(seconds, 1),
        "told": scene.told,
    }


def machine() -> str:
    return f"{len(os.sched_getaffinity(0))} cores, {platform.system()} {platform.release()}"


if __name__ == "__main__":
    main()
