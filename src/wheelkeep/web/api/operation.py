"""What an operation is: method, path, who may, what goes in and what comes out. No operation lives here."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from msgspec import Struct

from wheelkeep.core import names
from wheelkeep.core.access import Admin, Approve, Caller, Known, Publish, Read, Want, allows, needed
from wheelkeep.core.errors import InvalidName
from wheelkeep.core.snapshot import read_snapshot_name
from wheelkeep.index.keep import Keep
from wheelkeep.web import problem
from wheelkeep.web.respond import Request, Response

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Places = Mapping[str, str]
"""The parts of an address that the path leaves open, in normal form, by their names."""
T = TypeVar("T")
LARGEST_JSON = 1_000_000
"""Bytes of a body."""


def _snapshot(text: str) -> str:
    try:
        return read_snapshot_name(text)
    except ValueError as error:
        raise InvalidName(str(error)) from None


PARTS: dict[str, tuple[Callable[[str], str], str]] = {
    "index": (names.index, "The name of an index."),
    "source": (names.source, "The name of a source."),
    "project": (names.project, "The name of a project, in any spelling (PEP 503)."),
    "snapshot": (_snapshot, "The name of a snapshot."),
    "id": (str, "The id of a token: the eleven letters after `wk_`."),
}
"""What a path may leave open: how it is read (raising InvalidName), and what it is."""


class Refusal(Exception):
    """Raised by an operation, to answer with a problem document."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class Needs(Struct, frozen=True):
    """Who may: ``wants`` says it of one request, before anything is looked at; ``text`` says it in the documents."""

    text: str
    wants: Callable[[Keep, Places], Sequence[Want]]
    """All are needed, and there is one at least."""


KNOWN = Needs("any token", lambda _keep, _places: (Known(),))
ADMIN = Needs("admin", lambda _keep, _places: (Admin(),))
APPROVE = Needs("approve", lambda _keep, _places: (Approve(),))


def _read(keep: Keep, places: Places) -> Sequence[Want]:
    name = names.index(places["index"])
    index = keep.indexes.get(name)
    # An index that is not there is answered as a closed one is.
    return (Known(),) if index is not None and not index.closed else (Read(name),)


READ = Needs("read:INDEX", _read)
PUBLISH = Needs(
    "publish:SOURCE",
    lambda _keep, places: (Publish(names.source(places["source"]), names.project(places["project"])),),
)


class Call(Struct, frozen=True, kw_only=True):
    """One request to an operation, let in and read."""

    keep: Keep
    request: Request
    caller: Caller
    places: Places
    query: Any
    """An instance of the operation's ``query``, where it has one."""
    body: Any
    """An instance of the operation's ``takes``, or bytes, where it has either."""

    def require(self, want: Want) -> None:
        """Asks for more than the address told, before anything is looked at. Raises Refusal (403)."""
        if not allows(self.caller.scopes, want):
            raise Refusal(problem.forbidden(self.request, needed(want)))

    def read(self, reader: Callable[..., T], text: str, *more: Any, at: str) -> T:
        """A text that was sent, read by a reader of the core. Raises Refusal (400) for what that does not take."""
        try:
            return reader(text, *more)
        except (ValueError, InvalidName) as error:
            raise Refusal(problem.bad_request(self.request, f"{at}: {error}")) from None

    def not_found(self, detail: str) -> Refusal:
        return Refusal(problem.not_found(self.request, detail))


class Operation(Struct, frozen=True, kw_only=True):
    """One method at one path. What it raises but Refusal is a fault of ours, and is answered 503."""

    method: Method
    path: str
    """Below ``/api/v1``; ``{…}`` stand for one part each and are among PARTS."""
    name: str
    """Its ``operationId``."""
    says: str
    """One sentence."""
    needs: Needs
    handle: Callable[[Call], Awaitable[Any]]
    """Gives an instance of ``gives``."""
    gives: type[Struct]
    takes: type[Struct] | None = None
    raw: int | None = None
    """Takes a body as it is, under any media type, of so many bytes at most; nothing is a body too."""
    query: type[Struct] | None = None
    status: int = 200
    refuses: tuple[int, ...] = ()
    """The codes of refusals beside those that every operation of its kind has."""

    @property
    def most(self) -> int:
        """Bytes of a body that are taken."""
        return self.raw if self.raw is not None else LARGEST_JSON

    @property
    def parts(self) -> list[str]:
        """What the path leaves open, in order."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]
