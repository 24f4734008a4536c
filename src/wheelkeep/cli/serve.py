"""``serve``: runs the server, and says so once it answers."""

import http.client
import os
import socket
import sys
import threading
import time
from typing import Annotated

import structlog
import typer
from msgspec.structs import replace

from wheelkeep import compose
from wheelkeep.core.read_settings import exposure
from wheelkeep.core.settings import Settings
from wheelkeep.logs import configure
from wheelkeep.store.database import prepare

log = structlog.get_logger(__name__)
_PATIENCE = 120.0


def serve(
    context: typer.Context,
    listen: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Where to listen.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="How many processes.")] = None,
) -> None:
    """Run the server."""
    settings = compose.load(context.obj)
    if listen is not None:
        host, port = _listen(listen)
        settings = replace(settings, host=host, port=port)
    if workers is not None:
        settings = replace(settings, workers=workers)
    if settings.port == 0:
        settings = replace(settings, port=_free_port(settings.host))
    compose.policies(settings)
    prepare(settings.data)
    configure()
    for warning in dict.fromkeys([*settings.warnings, exposure(settings.host, settings)]):
        if warning:
            log.warning("unwise", what=warning)
    if settings.origin is not None:
        os.environ[compose.CONFIG_VARIABLE] = str(settings.origin)
    os.environ[compose.LISTEN_VARIABLE] = f"{settings.host} {settings.port}"
    threading.Thread(target=_announce, args=(settings,), daemon=True).start()
    _run(settings)


def _run(settings: Settings) -> None:
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    Granian(
        "wheelkeep.compose:asgi",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        factory=True,
        loop=Loops.uvloop,
        http=HTTPModes.auto,
        websockets=False,
        runtime_threads=1,
        runtime_mode=RuntimeModes.mt,
        log_access=False,
        log_level=LogLevels.warning,
        # Longer than the keep itself gives downloads to finish.
        workers_kill_timeout=40,
        respawn_failed_workers=True,
        http1_settings=HTTP1Settings(header_read_timeout=15_000, max_buffer_size=64 * 1024),
    ).serve()


def _announce(settings: Settings) -> None:
    """Says that the server is ready once it answers a real request."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        connection = http.client.HTTPConnection(host, settings.port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                break
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    else:
        return
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"wheelkeep: ready on http://{shown}:{settings.port}", file=sys.stderr, flush=True)


def _listen(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise typer.BadParameter(f"{text!r} is not HOST:PORT", param_hint="--listen")
    return host.strip("[]"), int(port)


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
