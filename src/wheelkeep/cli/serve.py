"""``serve``: makes sure that all is well, then becomes the server."""

import os
import socket
import sys
from typing import Annotated

import typer
from msgspec.structs import replace

from wheelkeep import configuration
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.read_settings import exposure
from wheelkeep.core.settings import Settings
from wheelkeep.logs import configure, get_logger
from wheelkeep.store.prepare import prepare

log = get_logger(__name__)

_MALLOC = {
    # One heap per thread is glibc's way to be quick; a few threads that mostly wait only leave holes in memory.
    "MALLOC_ARENA_MAX": "2",
    # Large pages and files pass through in large pieces. Left to itself, glibc soon keeps even pieces of 32 MB in the
    # heap, where the small ones between them hold them for ever (mallopt(3)). The pieces in which a file streams stay
    # below the bound: to fetch each from the system anew took twice the time with 16 clients.
    "MALLOC_MMAP_THRESHOLD_": "1048576",
    "MALLOC_TRIM_THRESHOLD_": "1048576",
}


def serve(
    context: typer.Context,
    listen: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Where to listen.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="How many processes.")] = None,
) -> None:
    """Run the server."""
    settings = configuration.load(context.obj)
    if listen is not None:
        host, port = _listen(listen)
        settings = replace(settings, host=host, port=port)
    if workers is not None:
        settings = replace(settings, workers=workers)
    settings = replace(settings, port=_bindable(settings))
    holders = configuration.policies(settings)
    unwise = [*settings.warnings, *configuration.policy_warnings(holders)]
    unwise += configuration.unadvised(settings, holders) + configuration.absent_folders(settings)
    prepare(settings.data)
    configure()
    for warning in dict.fromkeys([*unwise, exposure(settings.host, settings)]):
        if warning:
            log.warning("unwise", what=warning)
    if settings.origin is not None:
        os.environ[configuration.CONFIG_VARIABLE] = str(settings.origin)
    for name, value in _MALLOC.items():
        os.environ.setdefault(name, value)
    os.environ[configuration.LISTEN_VARIABLE] = f"{settings.host} {settings.port}"
    # This process becomes the server, so that what only the checks needed does not stay in memory. ``-P``: nothing
    # is imported from the folder that the server happens to be started in.
    arguments = [sys.executable, "-P", "-m", "wheelkeep.server", settings.host, str(settings.port)]
    os.execv(sys.executable, [*arguments, str(settings.workers)])  # noqa: S606 - our own module, no shell


def _listen(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise typer.BadParameter(f"{text!r} is not HOST:PORT", param_hint="--listen")
    return host.strip("[]"), int(port)


def _bindable(settings: Settings) -> int:
    """The port, free to be listened on; 0 stands for any free one. Raises WheelkeepError where it is not free."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
            return int(probe.getsockname()[1])
    except OSError as error:
        why = error.strerror or str(error)
        raise WheelkeepError(
            f"{settings.host}:{settings.port} cannot be listened on: {why}; try --listen"
        ) from None
