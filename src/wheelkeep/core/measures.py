"""What is counted for ``/metrics``: every series, and its place in the row of numbers that each worker has.

No series has the name of a project, an index, a source or a person in it: whoever may look at the numbers learns
nothing of what a closed index holds.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from wheelkeep.core.policy_file import GATES

KINDS = ("page", "file", "metadata", "json", "provenance", "upload", "api", "other")
_STATUSES = (
    *(200, 201, 204, 206, 301, 302, 304),
    *(400, 401, 403, 404, 405, 406, 409, 413, 415, 416, 422, 429, 503, 507),
)
_OTHER = "other"


class Series(Struct, frozen=True):
    """One number that only grows."""

    name: str
    says: str
    labels: tuple[tuple[str, str], ...] = ()


def _series() -> Iterator[Series]:
    for kind in KINDS:
        for status in (*map(str, _STATUSES), _OTHER):
            labels = (("kind", kind), ("status", status))
            yield Series("wheelkeep_requests_total", "Requests answered, by what was asked for.", labels)
    for gate in (*GATES, _OTHER):
        says = "Downloads refused, by the gate that blocks."
        yield Series("wheelkeep_blocked_total", says, (("gate", gate),))
    yield Series("wheelkeep_memory_pages_total", "Pages answered from memory, ready as they lay.")
    yield Series("wheelkeep_fetches_total", "Answers that sent bytes of a file.")
    yield Series("wheelkeep_fetches_late_total", "Those of them that went out before their line was written.")
    yield Series("wheelkeep_stored_files_total", "Those of them that came from the store.")
    yield Series(
        "wheelkeep_alerts_total",
        "Alerts about stored files: a known advisory, or a quarantine at the origin.",
    )
    yield Series("wheelkeep_alerts_delivered_total", "Alerts and incidents that the webhook took.")
    yield Series("wheelkeep_alerts_failed_total", "Tries to deliver one that were in vain.")
    yield Series("wheelkeep_damaged_total", "Stored files that were damaged and taken out of service.")
    yield Series("wheelkeep_scrub_files_total", "Stored files that the scrub read again.")
    yield Series("wheelkeep_scrub_bytes_total", "Their bytes.")
    yield Series("wheelkeep_scrub_healed_total", "Damaged files that the scrub found and fetched again.")
    yield Series("wheelkeep_upstream_requests_total", "Requests to sources, each try counted.")
    yield Series("wheelkeep_upstream_failures_total", "Times that a source could not answer in the end.")


SERIES: tuple[Series, ...] = tuple(_series())
_PLACES = {(one.name, one.labels): place for place, one in enumerate(SERIES)}
_BLOCKED = {gate: _PLACES["wheelkeep_blocked_total", (("gate", gate),)] for gate in (*GATES, _OTHER)}
MEMORY_PAGES = _PLACES["wheelkeep_memory_pages_total", ()]
FETCHES = _PLACES["wheelkeep_fetches_total", ()]
LATE_FETCHES = _PLACES["wheelkeep_fetches_late_total", ()]
STORED_FILES = _PLACES["wheelkeep_stored_files_total", ()]
ALERTS = _PLACES["wheelkeep_alerts_total", ()]
ALERTS_DELIVERED = _PLACES["wheelkeep_alerts_delivered_total", ()]
ALERTS_FAILED = _PLACES["wheelkeep_alerts_failed_total", ()]
SCRUB_FILES = _PLACES["wheelkeep_scrub_files_total", ()]
SCRUB_BYTES = _PLACES["wheelkeep_scrub_bytes_total", ()]
SCRUB_HEALED = _PLACES["wheelkeep_scrub_healed_total", ()]
DAMAGED = _PLACES["wheelkeep_damaged_total", ()]
UPSTREAM_REQUESTS = _PLACES["wheelkeep_upstream_requests_total", ()]
UPSTREAM_FAILURES = _PLACES["wheelkeep_upstream_failures_total", ()]


def request(kind: str, status: int) -> int:
    """The place of a request's series; ``kind`` is one of KINDS."""
    told = str(status) if status in _STATUSES else _OTHER
    return _PLACES["wheelkeep_requests_total", (("kind", kind), ("status", told))]


WARM_PAGE = _PLACES["wheelkeep_requests_total", (("kind", "page"), ("status", "200"))]


def blocked(gate: str) -> int:
    """The place of a gate's series."""
    return _BLOCKED.get(gate, _BLOCKED[_OTHER])


_KINDS = {
    "simple": "page",
    "files": "file",
    "packages": "file",
    "pypi": "json",
    "integrity": "provenance",
    "legacy": "upload",
    "upload": "upload",
}


def kind_of(path: str, method: str) -> str:
    """What a request is about, as its address tells: one of KINDS."""
    parts = path.removeprefix("/").split("/", 2)
    if parts[0] in ("api", "simple"):
        return "api" if parts[0] == "api" else "page"
    if method == "POST" and parts[1:] in ([], [""]):
        return "upload"
    kind = _KINDS.get(parts[1], "other") if len(parts) > 1 else "other"
    return "metadata" if kind == "file" and path.endswith(".metadata") else kind


def write(numbers: Sequence[int], gauges: Mapping[str, tuple[str, int]]) -> bytes:
    """The text that Prometheus reads (prometheus.io, text format 0.0.4). Of a name with labels only what was counted is
    told. ``gauges``: by name, what it says and how much it is."""
    lines: list[str] = []
    for place, one in enumerate(SERIES):
        if not place or SERIES[place - 1].name != one.name:
            lines += [f"# HELP {one.name} {one.says}", f"# TYPE {one.name} counter"]
        labels = ",".join(f'{name}="{value}"' for name, value in one.labels)
        if numbers[place] or not labels:
            lines.append(
                f"{one.name}{{{labels}}} {numbers[place]}" if labels else f"{one.name} {numbers[place]}"
            )
    for name, (says, value) in gauges.items():
        lines += [f"# HELP {name} {says}", f"# TYPE {name} gauge", f"{name} {value}"]
    return ("\n".join(lines) + "\n").encode()
