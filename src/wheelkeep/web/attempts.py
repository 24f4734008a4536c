"""How often an address gave a wrong token lately. The clock is the caller's; nothing here knows of HTTP."""

import ipaddress
from collections import OrderedDict

WINDOW = 60.0
"""Seconds for which wrong tokens are remembered, from the first one on."""
FREE = 20
"""Different wrong tokens of one address within the window that are answered as such."""
_MOST = 4096


class Attempts:
    """Counts by client address; by network of 64 bits for IPv6, where one machine has as many addresses as it likes.

    A wrong token that comes again is no further guess: a job with an old one hears for each of its requests that
    the token is wrong, and does not stand in the way of its neighbours.
    """

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, tuple[float, set[int]]] = OrderedDict()

    def wrong(self, client: str, guess: bytes, now: float) -> float | None:
        """Notes a wrong token at ``now`` (seconds, of a clock that only goes forward).

        Gives None while they are few, else the seconds until the count begins anew.
        """
        key = _key(client)
        began, guesses = self._wrong.get(key, (now, set()))
        if now - began >= WINDOW:
            del self._wrong[key]
            began, guesses = now, set()
        self._wrong[key] = began, guesses
        # Whoever has many addresses must not fill the memory; the oldest counts are soonest over.
        if len(self._wrong) > _MOST:
            self._wrong.popitem(last=False)
        # Python's own hash has a key that nobody knows, so that nobody can make two guesses pass for one.
        if (this := hash(guess)) in guesses:
            return None
        if len(guesses) >= FREE:
            return began + WINDOW - now
        guesses.add(this)
        return None


def _key(client: str) -> str:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
    return client
