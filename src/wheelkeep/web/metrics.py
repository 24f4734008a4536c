"""``/metrics``: what all workers of this server counted, for Prometheus. No name of a project is among it."""

from wheelkeep.core import measures
from wheelkeep.store.tally import Tally, resident
from wheelkeep.web.respond import SAFE, Response

_HEADERS = (
    (b"content-type", b"text/plain; version=0.0.4; charset=utf-8"),
    (b"cache-control", b"no-store"),
    *SAFE,
)


def answer(tally: Tally) -> Response:
    """The numbers as they are now, whichever worker is asked."""
    numbers, workers = tally.summed()
    gauges = {
        "wheelkeep_workers": ("Worker processes.", len(workers)),
        "wheelkeep_resident_bytes": ("Memory of all workers together.", sum(map(resident, workers))),
    }
    return Response(200, _HEADERS, measures.write(numbers, gauges))
