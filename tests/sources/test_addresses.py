"""The rule for addresses, by the registries' own lists."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.sources.addresses import is_documentation, is_public, may_open, parse

PUBLIC = ["1.1.1.1", "8.8.8.8", "9.255.255.255", "172.32.0.1", "100.128.0.1", "2606:4700::1", "2a00:1450::1"]
CLOSED = [
    *[
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
    ],
    *["169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1"],
    *["224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.51.100.1", "203.0.113.80"],
    *[
        "::",
        "::1",
        "fe80::1",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "ff02::1",
        "2001:db8::1",
    ],
    *["3fff::1", "100::1", "5f00::1", "2001:10::1", "64:ff9b:1::1", "fe80::1%eth0", "2606:4700::1%eth0"],
]
FORMS = {
    "mapped": lambda v4: IPv6Address((0xFFFF << 32) | int(v4)),
    "6to4": lambda v4: IPv6Address((0x2002 << 112) | (int(v4) << 80) | 1),
    "nat64": lambda v4: IPv6Address((0x64FF9B << 96) | int(v4)),
    "teredo client": lambda v4: IPv6Address(
        (0x20010000 << 96) | (int(IPv4Address("8.8.8.8")) << 64) | (int(v4) ^ 0xFFFFFFFF)
    ),
    "teredo server": lambda v4: IPv6Address(
        (0x20010000 << 96) | (int(v4) << 64) | (int(IPv4Address("8.8.8.8")) ^ 0xFFFFFFFF)
    ),
}


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(address)
    assert may_open(address, ())


@pytest.mark.parametrize("address", CLOSED)
def test_closed(address: str) -> None:
    assert not is_public(address)
    assert not may_open(address, ())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("inside", ["8.8.8.8", "127.0.0.1", "10.1.2.3", "169.254.169.254", "203.0.113.80"])
def test_an_address_in_another_is_judged_by_itself(form: str, inside: str) -> None:
    assert is_public(str(FORMS[form](IPv4Address(inside)))) == is_public(inside)


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "1.1.1.1 "]
)
def test_what_is_no_address_is_not_public(text: str) -> None:
    assert parse(text) is None
    assert not is_public(text)
    assert not may_open(text, ())


@given(st.ip_addresses())
def test_never_more_generous_than_the_standard_library(address: IPv4Address | IPv6Address) -> None:
    """The library's tables differ between versions in a few anycast blocks only, which are closed here."""
    if is_public(address) and not (isinstance(address, IPv6Address) and address.sixtofour):
        assert not (address.is_private or address.is_loopback or address.is_link_local)
        assert (
            not (address.is_multicast or address.is_reserved or address.is_unspecified)
            or address.version == 6
        )


@pytest.mark.parametrize("address", ["192.0.2.9", "198.51.100.9", "203.0.113.80", "2001:db8::80"])
def test_a_documentation_address_is_open_only_where_the_source_itself_is_there(address: str) -> None:
    same = ip_address(address)
    assert is_documentation(same)
    assert may_open(address, {same})
    assert not may_open(address, {same + 1})
    assert not may_open(address, {ip_address("127.0.0.1")})


def test_a_gateway_opens_nothing_but_documentation_addresses() -> None:
    for address in ("127.0.0.1", "10.0.0.1", "::1", "169.254.169.254"):
        assert not may_open(address, {ip_address(address)})
