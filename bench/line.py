"""An origin behind a line of so many MB a second: line.py FOLDER PORT MB_A_SECOND; says each path that it is asked for.

On loopback an origin is faster than any disk, and a keep that hashes and stores what it passes on cannot be. Behind a
line, as origins are, it can: this shows how much of the line's speed reaches the client.
"""

import os
import sys
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import BinaryIO

PIECE = 64 * 1024


class Paced(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    extensions_map = {".json": "application/vnd.pypi.simple.v1+json"}  # noqa: RUF012
    bytes_a_second = 0.0

    def translate_path(self, path: str) -> str:
        found = super().translate_path(path)
        return f"{found}index.json" if path.endswith("/") else found

    def copyfile(self, source: BinaryIO, outputfile: BinaryIO) -> None:  # type: ignore[override]
        outputfile.flush()
        size = os.fstat(source.fileno()).st_size
        at, due = 0, time.perf_counter()
        while at < size:
            at += os.sendfile(self.connection.fileno(), source.fileno(), at, PIECE)
            # A line does not make up for the time in which nobody read.
            due = max(due, time.perf_counter() - 0.01) + PIECE / self.bytes_a_second
            if (early := due - time.perf_counter()) > 0:
                time.sleep(early)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        sys.stderr.write(f"{self.command} {self.path} \n")
        sys.stderr.flush()


def main() -> None:
    folder, port, speed = sys.argv[1:]
    Paced.bytes_a_second = float(speed) * 1e6
    ThreadingHTTPServer(("127.0.0.1", int(port)), partial(Paced, directory=folder)).serve_forever()


if __name__ == "__main__":
    main()
