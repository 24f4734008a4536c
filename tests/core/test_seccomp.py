"""The filter, run by an interpreter of its own: what Linux does with it shows ``tests/index/test_sandbox.py``."""

import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core.seccomp import MACHINES, build_filter

ALLOWED = 0
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
SOCKET = {"x86_64": 41, "aarch64": 198}
CLONE = {"x86_64": 56, "aarch64": 220}
NEW_USER, NEW_NET, ORDINARY = 0x10000000, 0x40000000, 0x01200011


def answer(machine: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """The error that the call gets, or ALLOWED (linux/filter.h, linux/seccomp.h)."""
    data = struct.pack(
        "=IIQ6Q",
        number,
        AUDIT[machine] if audit is None else audit,
        0,
        *arguments,
        *[0] * (6 - len(arguments)),
    )
    steps = list(struct.iter_unpack("=HBBI", build_filter(machine)))
    at = loaded = 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        match code:
            case 0x20:
                (loaded,) = struct.unpack_from("=I", data, value)
            case 0x15:
                at += yes if loaded == value else no
            case 0x45:
                at += yes if loaded & value else no
            case 0x35:
                at += yes if loaded >= value else no
            case 0x06 if value == 0x7FFF0000:
                return ALLOWED
            case 0x06:
                assert value & 0xFFFF0000 == 0x00050000
                return value & 0xFFFF
            case _:
                raise AssertionError(code)


@pytest.mark.parametrize("machine", MACHINES)
def test_what_a_build_has_not(machine: str) -> None:
    numbers = {"x86_64": (101, 250, 165, 272, 321, 29), "aarch64": (117, 219, 40, 97, 280, 194)}
    assert {answer(machine, number) for number in numbers[machine]} == {errno.EPERM}
    # clone3, memfd_create, io_uring_setup
    assert {answer(machine, number) for number in (435, {"x86_64": 319, "aarch64": 279}[machine], 425)} == {
        errno.ENOSYS
    }
    assert answer(machine, CLONE[machine], ORDINARY) == ALLOWED
    assert answer(machine, CLONE[machine], ORDINARY | NEW_USER) == errno.EPERM
    assert answer(machine, CLONE[machine], 1 << 40 | NEW_NET) == errno.EPERM
    for domain, expected in (
        (1, ALLOWED),
        (2, ALLOWED),
        (10, ALLOWED),
        (16, errno.EAFNOSUPPORT),
        (40, errno.EAFNOSUPPORT),
    ):
        assert answer(machine, SOCKET[machine], domain) == expected
        assert answer(machine, SOCKET[machine] + (12 if machine == "x86_64" else 1), domain) == expected
    control = {"x86_64": 16, "aarch64": 29}[machine]
    assert [answer(machine, control, 1, request) for request in (0x5401, 0x5412, 0x541C)] == [
        ALLOWED,
        errno.EPERM,
        errno.EPERM,
    ]


@pytest.mark.parametrize("machine", MACHINES)
def test_another_kind_of_call_is_none(machine: str) -> None:
    assert answer(machine, 1, audit=0x40000003) == errno.ENOSYS
    if machine == "x86_64":
        assert answer(machine, 0x40000000 | SOCKET[machine], 2) == errno.ENOSYS


@given(machine=st.sampled_from(MACHINES), number=st.integers(0, 2**32 - 1), first=st.integers(0, 2**64 - 1))
def test_every_call_has_an_answer(machine: str, number: int, first: int) -> None:
    assert answer(machine, number, first, first) in {ALLOWED, errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT}


def test_other_machines_have_none() -> None:
    with pytest.raises(KeyError):
        build_filter("sparc")
