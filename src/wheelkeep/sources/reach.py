"""Where a source's requests may lead, and the guard that holds to it where the socket is opened.

Three rules, for links and redirects alike: the source's own origin; the origins that its ``files`` declare;
and, only where none is declared, public addresses over https. Nothing is sent from here.
"""

import errno
import socket
from typing import Any

from wheelkeep.core.errors import Unanswered
from wheelkeep.sources.addresses import Address, is_public, may_open, parse
from wheelkeep.sources.origin import Origin

REFUSED = "not a public address"
_REMEDY = "if it should be reached, add it to the source: "
# Names that only mean something inside a network; through a proxy nothing else would tell.
_INNER = ("localhost", "local", "localdomain", "internal", "intranet", "lan", "corp", "home", "arpa")


class Reach:
    """The origins of one source."""

    def __init__(self, own: Origin, files: tuple[Origin, ...]) -> None:
        self.own = own
        self._declared = frozenset(files)

    def is_guarded(self, origin: Origin) -> bool:
        """Whether only a public address may be opened for an origin; False for the own and the declared ones.

        Raises Unanswered for an origin that no rule allows, with what to write so that it is.
        """
        if origin == self.own or origin in self._declared:
            return False
        if self._declared:
            raise Unanswered(f"{origin} is not among the declared origins of this source; {remedy(origin)}")
        if origin.scheme != "https":
            raise Unanswered(f"{origin} is another origin, and not https; {remedy(origin)}")
        return True


def remedy(origin: Origin) -> str:
    """What the operator writes to allow an origin."""
    return f'{_REMEDY}files = ["{origin}"]'


def without_remedy(reason: str) -> str:
    """What went wrong, for those that have no ``files`` to add to."""
    return reason.partition(f"; {_REMEDY}")[0]


def check_unseen(origin: Origin) -> None:
    """Raises Unanswered for a guarded origin that is plainly not public, where a proxy will resolve it."""
    literal = parse(origin.host)
    if literal is not None:
        inner = not is_public(literal)
    else:
        inner = "." not in origin.host or any(origin.host.endswith(f".{suffix}") for suffix in _INNER)
    if inner:
        raise Unanswered(f"{origin} is {REFUSED}; {remedy(origin)}")


class Guard:
    """A socket factory that opens public addresses only.

    Every connection passes here with the very address it goes to: after the name was resolved, and for
    addresses in the URL, which no resolver sees. ``gateways`` are the addresses of the source's own host; see
    ``addresses.may_open``.
    """

    def __init__(self) -> None:
        self.gateways: frozenset[Address] = frozenset()

    def __call__(self, info: tuple[Any, ...]) -> socket.socket:
        """A socket for one entry of getaddrinfo; raises PermissionError for an address that is not public."""
        family, kind, protocol, _, address = info
        if not may_open(str(address[0]), self.gateways):
            raise PermissionError(errno.EACCES, REFUSED)
        return socket.socket(family=family, type=kind, proto=protocol)
