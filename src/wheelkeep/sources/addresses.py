"""Which IP addresses the public internet reaches: the rule against requests into the operator's own network.

Pure arithmetic on addresses. Which rule a request falls under is in ``reach``. The tables follow the IANA
registries of special-purpose addresses (RFC 6890) and do not lean on the standard library's, which differ
between Python versions.
"""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address

_CLOSED_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this host (RFC 1122)
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # shared with the carrier (RFC 6598); Alibaba's metadata too
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's metadata, outside every special network
        "169.254.0.0/16",  # link-local (RFC 3927), the metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments (RFC 6890), Oracle's metadata
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and the broadcast
    )
)
_DOCUMENTATION_4 = tuple(IPv4Network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))
_DOCUMENTATION_6 = IPv6Network("2001:db8::/32")
# Only this part of IPv6 is handed out; unique-local, link-local, site-local, multicast and :: lie outside it.
_GLOBAL_6 = IPv6Network("2000::/3")
_CLOSED_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments (RFC 2928), less Teredo, which is unwrapped before
        "2001:db8::/32",  # documentation (RFC 3849)
        "3fff::/20",  # documentation (RFC 9637)
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")


def parse(text: str) -> Address | None:
    """The address that a text is in canonical form, without a zone; None for a name or anything else."""
    try:
        return ip_address(text) if "%" not in text else None
    except ValueError:
        return None


def is_public(address: str | Address) -> bool:
    """Whether an address is one of the public internet; False for what is not an address.

    Forms that carry an IPv4 address (mapped, 6to4, Teredo, NAT64) are as public as the address inside. The
    networks for documentation are not public; see ``may_open`` for their one use.
    """
    known = parse(address) if isinstance(address, str) else address
    if isinstance(known, IPv6Address):
        if known.scope_id is not None:
            return False
        if inner := _inside(known):
            return all(is_public(one) for one in inner)
        return known in _GLOBAL_6 and not any(known in network for network in _CLOSED_6)
    if known is None:
        return False
    return not any(known in network for network in _CLOSED_4 + _DOCUMENTATION_4)


def is_documentation(address: Address) -> bool:
    """Whether an address is in a network kept for documentation (RFC 5737, RFC 3849)."""
    if isinstance(address, IPv6Address):
        if (mapped := address.ipv4_mapped) is None:
            return address in _DOCUMENTATION_6
        address = mapped
    return any(address in network for network in _DOCUMENTATION_4)


def may_open(address: str, gateways: Collection[Address]) -> bool:
    """Whether a guarded connection may be opened to an address.

    ``gateways`` are the addresses of the source's own host. Gateways of closed networks resolve all outside
    names to a documentation address of theirs; a request to one is sound when the source itself is reached at
    the very same one.
    """
    known = parse(address)
    if known is None:
        return False
    return is_public(known) or (is_documentation(known) and known in gateways)


def _inside(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that an IPv6 form leads to: RFC 4291, 3056, 4380 (server and client), 6052."""
    if (mapped := address.ipv4_mapped) is not None:
        return (mapped,)
    if (relayed := address.sixtofour) is not None:
        return (relayed,)
    if (both := address.teredo) is not None:
        return both
    if address in _NAT64:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return ()
