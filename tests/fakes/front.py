"""What stands before a keep elsewhere: TLS on 127.0.0.1, and behind it the keep.

with Front(certificate(folder)) as front:
    front.leads = port
"""

import asyncio
import contextlib
import threading
from pathlib import Path
from typing import Self

from fakes.certificates import server


class Front:
    """Ends TLS and passes every byte on; ``leads`` is the keep's port, ``port`` its own."""

    def __init__(self, certificate: Path) -> None:
        self._context = server(certificate)
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self.leads = self.port = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="front", daemon=True)
        self._thread.start()
        ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self, ready: threading.Event) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        talks: set[asyncio.Task[None]] = set()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            talks.add(task)
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.leads)
            try:
                await asyncio.gather(pass_on(reader, far_writer), pass_on(far_reader, writer))
            except (OSError, asyncio.CancelledError):
                pass
            finally:
                far_writer.close()
                writer.close()
                talks.discard(task)

        listening = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=self._context)
        self.port = listening.sockets[0].getsockname()[1]
        ready.set()
        await self._stop.wait()
        listening.close()
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await asyncio.sleep(0.01)  # transports close on the loop's next turns


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()
    with contextlib.suppress(OSError):
        if writer.can_write_eof():
            writer.write_eof()
        else:
            writer.close()
