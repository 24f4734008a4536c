"""Who asked for something: the name that a token proved, and what the connection and one header tell beside it."""

from msgspec import Struct

_LONGEST_TOOL = 60


class Asker(Struct, frozen=True):
    """One caller, as the book names it."""

    who: str | None
    """The name of the token; None where none was asked for."""
    address: str
    """That the connection came from: behind a proxy the proxy's, as no header about it is believed. May be empty."""
    tool: str
    """See ``read_tool``; the caller's own word."""

    @property
    def origin(self) -> dict[str, str]:
        """Where it asked from, as a line of the ledger tells it beside the name."""
        return {"from": self.address, "tool": self.tool}


def read_tool(agent: str | None) -> str:
    """The first word of a User-Agent (RFC 9110 10.1.5), less what cannot be printed; empty where there is none."""
    first = (agent or "").strip().split(" ", 1)[0]
    return "".join(letter for letter in first if letter.isascii() and letter.isprintable())[:_LONGEST_TOOL]
