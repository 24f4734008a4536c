"""``/metrics``: what all workers of this server counted, for Prometheus. No name of a project is among it."""

from typing import Any

import structlog

from wheelkeep.core import measures
from wheelkeep.index.herald import Herald
from wheelkeep.index.keep import Keep
from wheelkeep.index.scrub import standing
from wheelkeep.store.tally import resident
from wheelkeep.web.respond import SAFE, Response

log = structlog.get_logger(__name__)
_HEADERS = (
    (b"content-type", b"text/plain; version=0.0.4; charset=utf-8"),
    (b"cache-control", b"no-store"),
    *SAFE,
)


async def answer(keep: Keep) -> Response:
    """The numbers as they are now, whichever worker is asked."""
    numbers, workers = keep.tally.summed()
    gauges = {
        "wheelkeep_workers": ("Worker processes.", len(workers)),
        "wheelkeep_resident_bytes": ("Memory of all workers together.", sum(map(resident, workers))),
    }
    gauges |= _looked_at(keep)
    if keep.herald is not None:
        gauges |= await _delivery(keep.herald)
    return Response(200, _HEADERS, measures.write(numbers, gauges))


def _looked_at(keep: Keep) -> dict[str, tuple[str, int]]:
    """How far the scrub is, and what was found last; 0 where nothing was looked at yet."""
    found = standing(keep.settings.data)
    last = (found["scrub"] or {}).get("last")
    lost = _number(last, "damaged") - _number(last, "healed")
    return {
        "wheelkeep_scrub_percent": (
            "How much of its present pass the scrub has done.",
            _number(found["scrub"], "percent"),
        ),
        "wheelkeep_scrub_finished_seconds": (
            "When the scrub had last been through all files, in seconds since the epoch.",
            _number(last, "finished"),
        ),
        "wheelkeep_scrub_lost": ("Damaged files that its last whole pass could not heal.", max(0, lost)),
        "wheelkeep_verify_finished_seconds": (
            "When verify had last looked at everything, in seconds since the epoch.",
            _number(found["verify"], "finished"),
        ),
        "wheelkeep_verify_left": ("Damage that the last verify left.", _number(found["verify"], "left")),
    }


def _number(told: Any, name: str) -> int:
    value = told.get(name) if isinstance(told, dict) else None
    return int(value) if isinstance(value, int | float) else 0


async def _delivery(herald: Herald) -> dict[str, tuple[str, int]]:
    try:
        standing = await herald.standing()
    except Exception:
        log.exception("alerts_unknown")
        return {}
    return {
        "wheelkeep_alerts_waiting": ("Alerts that the webhook has not taken yet.", standing.waiting),
        "wheelkeep_alerts_failing": ("1 while the webhook takes none.", int(standing.failing is not None)),
    }
