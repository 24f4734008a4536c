"""How often an address gave a wrong token lately. The clock is the caller's; nothing here knows of HTTP."""

import ipaddress
from collections import OrderedDict

WINDOW = 60.0
"""Seconds for which wrong tokens are remembered, from the first one on."""
FREE = 10
"""Wrong tokens of one address within the window that are answered as such."""
_MOST = 4096


class Attempts:
    """Counts by client address; by network of 64 bits for IPv6, where one machine has as many addresses as it likes."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wrong(self, client: str, now: float) -> float | None:
        """Notes a wrong token at ``now`` (seconds, of a clock that only goes forward).

        Gives None while they are few, else the seconds until the count begins anew.
        """
        key = _key(client)
        began, count = self._wrong.get(key, (now, 0))
        if now - began >= WINDOW:
            del self._wrong[key]
            began, count = now, 0
        self._wrong[key] = began, count + 1
        # Whoever has many addresses must not fill the memory; the oldest counts are soonest over.
        if len(self._wrong) > _MOST:
            self._wrong.popitem(last=False)
        return None if count < FREE else began + WINDOW - now


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
