"""What the Upload API 2.0 answers (PEP 694): the documents about sessions and files, and what it adds to refusals."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from wheelkeep.core.sessions import API_VERSION, MECHANISM, MEDIA
from wheelkeep.store.sessions import Session, Staged
from wheelkeep.web import urls
from wheelkeep.web.respond import SAFE, Headers, Response

_META = {"api-version": API_VERSION}
_KIND: Headers = ((b"content-type", MEDIA.encode()), (b"cache-control", b"no-store"), *SAFE)
_PROBLEM = b"application/problem+json"
_ASK_AGAIN = (b"retry-after", b"5")
"""Seconds after which the PEP would have a file looked at again; nothing happens to one by itself here."""


class Links:
    """The addresses of one session, absolute."""

    def __init__(self, origin: str, session: Session) -> None:
        self._root = urls.upload_root(origin, session.index)
        self._session = session
        self.stage = f"{origin}/{urls.stage(session.index, session.token)}/simple/"
        self.session = f"{self._root}{session.id}"

    def of_session(self) -> dict[str, str]:
        return {
            "session": self.session,
            "upload": f"{self.session}/files",
            "publish": f"{self.session}/publish",
            "extend": f"{self.session}/extend",
            "stage": self.stage,
        }

    def of_file(self, staged: Staged) -> str:
        """No one can guess it: the session's secret is in it, as the PEP wants."""
        return f"{self.session}/{self._session.token}/{staged.id}"


def session_document(session: Session, links: Links) -> dict[str, Any]:
    """A session as it is now."""
    document: dict[str, Any] = {
        "meta": _META,
        "links": links.of_session(),
        "mechanisms": [MECHANISM],
        "session-token": session.token,
        "expires-at": _moment(session.expires),
        "status": session.state,
        "files": {
            staged.filename: _noticed({"status": staged.state, "link": links.of_file(staged)}, staged.notice)
            for staged in session.live
        },
    }
    return _noticed(document, session.notice)


def file_document(session: Session, staged: Staged, links: Links) -> dict[str, Any]:
    """A file of a session as it is now; it lives as long as the session, so it cannot be extended by itself."""
    own = links.of_file(staged)
    document: dict[str, Any] = {
        "meta": _META,
        "links": {"file-upload-session": own, "complete": f"{own}/complete"},
        "status": staged.state,
        "expires-at": _moment(session.expires),
        "mechanism": {
            "identifier": MECHANISM,
            "file_url": f"{own}/bytes",
            "attestations_url": f"{own}/attestations",
        },
    }
    return _noticed(document, staged.notice)


def of_session(status: int, session: Session, links: Links, *, located: bool = False) -> Response:
    headers = (*_KIND, (b"location", links.session.encode())) if located else _KIND
    return Response(status, headers, msgspec.json.encode(session_document(session, links)))


def of_file(
    status: int, session: Session, staged: Staged, links: Links, *, located: bool = False
) -> Response:
    headers: Headers = (*_KIND, _ASK_AGAIN)
    if located:
        headers = (*headers, (b"location", links.of_file(staged).encode()))
    return Response(status, headers, msgspec.json.encode(file_document(session, staged, links)))


def nothing() -> Response:
    """Done, and there is nothing to say."""
    return Response(204, ((b"cache-control", b"no-store"), *SAFE))


def told(response: Response, problems: Sequence[tuple[str, str]] = ()) -> Response:
    """A refusal with the members that the PEP wants beside those of RFC 9457; every other answer as it is.

    ``problems``: what each is about, and a sentence.
    """
    if dict(response.headers).get(b"content-type") != _PROBLEM:
        return response
    document: dict[str, Any] = msgspec.json.decode(response.body)
    if "meta" in document:
        return response
    lines = problems or [("request", line) for line in str(document.get("detail", "")).split("\n")]
    document |= {"meta": _META, "errors": [{"source": source, "message": says} for source, says in lines]}
    return replace(response, body=msgspec.json.encode(document))


def _noticed(document: dict[str, Any], notice: str | None) -> dict[str, Any]:
    return document if notice is None else {**document, "notices": notice.split("\n")}


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
