"""One HTTP request, byte for byte as it is written: no redirect is followed, no path made nicer, nothing unpacked."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

JSON = "application/vnd.pypi.simple.v1+json"
HTML_V1 = "application/vnd.pypi.simple.v1+html"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@dataclass(slots=True)
class Reply:
    """What came: header names are lower-case; ``whole`` is False when the connection broke off before the end."""

    status: int
    headers: dict[str, str]
    body: bytes
    whole: bool = True

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def kind(self) -> str:
        """The media type, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0]

    @property
    def detail(self) -> str:
        """A problem document's own words (RFC 9457)."""
        assert self.kind == "application/problem+json", (self.status, self.headers, self.body[:500])
        return str(self.json["detail"])


def ask(
    url: str, method: str = "GET", *, timeout: float = 60, body: bytes | None = None, **headers: str
) -> Reply:
    """Asks a server; header names are given with underscores. Raises OSError where no answer begins."""
    split = urlsplit(url)
    connection = http.client.HTTPConnection(split.hostname or "", split.port, timeout=timeout)
    try:
        target = url.partition("://")[2].partition("/")[2]
        connection.putrequest(method, f"/{target}", skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        came = {name.lower(): value for name, value in answer.getheaders()}
        pieces, whole = [], True
        try:
            while piece := answer.read1(1 << 18):
                pieces.append(piece)
            # ``read1`` ends in silence where the connection does, whatever length was promised.
            whole = answer.length in {None, 0}
        except (http.client.HTTPException, ConnectionError):
            whole = False
        return Reply(answer.status, came, b"".join(pieces), whole)
    except http.client.HTTPException as error:
        raise OSError(f"no answer: {error!r}") from error
    finally:
        connection.close()
