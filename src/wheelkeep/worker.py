"""A process that answers requests, from its first line on: the server starts it and asks for the web face.

It imports little by itself, so that what comes before all other imports can come before them.
"""

import gc
import os
import resource
from multiprocessing import parent_process
from typing import Any

from wheelkeep import lifeline


def asgi() -> Any:
    """The web face, made from what ``serve`` put into the environment."""
    if (parent := parent_process()) is not None and parent.pid is not None:
        lifeline.tie(parent.pid)
    # What is imported and built here stays until the end. Looking through it for garbage would take a seventh of
    # the start, and later as long as a hundred requests, each time.
    gc.disable()
    app = _app()
    gc.collect()
    gc.freeze()
    gc.enable()
    return app


def _app() -> Any:
    from msgspec.structs import replace  # noqa: PLC0415

    from wheelkeep import compose, configuration  # noqa: PLC0415
    from wheelkeep.core.crowd import places  # noqa: PLC0415
    from wheelkeep.logs import configure  # noqa: PLC0415
    from wheelkeep.web.app import App  # noqa: PLC0415
    from wheelkeep.web.crowd import Crowd  # noqa: PLC0415

    configure()
    settings = configuration.load(None)
    if listening := os.environ.get(configuration.LISTEN_VARIABLE):
        host, port = listening.split(" ")
        settings = replace(settings, host=host, port=int(port))
    app = App(compose.build(settings))
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    Crowd(settings.port, places(most), busy=app.busy.__contains__).watch()
    return app
