"""``/metrics``: what all workers of this server counted, for Prometheus. No name of a project is among it."""

import structlog

from wheelkeep.core import measures
from wheelkeep.index.herald import Herald
from wheelkeep.store.tally import Tally, resident
from wheelkeep.web.respond import SAFE, Response

log = structlog.get_logger(__name__)
_HEADERS = (
    (b"content-type", b"text/plain; version=0.0.4; charset=utf-8"),
    (b"cache-control", b"no-store"),
    *SAFE,
)


async def answer(tally: Tally, herald: Herald | None) -> Response:
    """The numbers as they are now, whichever worker is asked."""
    numbers, workers = tally.summed()
    gauges = {
        "wheelkeep_workers": ("Worker processes.", len(workers)),
        "wheelkeep_resident_bytes": ("Memory of all workers together.", sum(map(resident, workers))),
    }
    if herald is not None:
        gauges |= await _delivery(herald)
    return Response(200, _HEADERS, measures.write(numbers, gauges))


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
