"""aiohttp, for all who speak HTTP to the outside world; nobody imports it but from here.

As it is imported it reads every certificate of the system for the requests that bring no TLS context of their own: a
tenth of the start of whatever process does so. Ours bring one (``trust``), so aiohttp's believes nobody: what forgets
its own is refused.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _believing_nobody() -> Iterator[None]:
    made = ssl.create_default_context
    ssl.create_default_context = lambda *_, **__: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        yield
    finally:
        ssl.create_default_context = made


with _believing_nobody():
    import aiohttp
    from aiohttp.abc import AbstractResolver, ResolveResult

__all__ = ["AbstractResolver", "ResolveResult", "aiohttp"]
