"""Which system calls a sandboxed build has not got, as a filter for Linux: bytes, and nothing is installed here.

The filter is a program of struct sock_filter (seccomp(2), SECCOMP_SET_MODE_FILTER). A build keeps what compilers and
interpreters use; it loses what makes namespaces and mounts, what reads other processes, the kernel's keys and programs,
memory that no limit of ours sees, and every kind of socket but Unix and IP ones: a network namespace does not hold
AF_VSOCK, which leads out of a virtual machine.
"""

import errno
import struct

_LOAD, _EQUAL, _ANY_BIT, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
"""BPF_LD+W+ABS, BPF_JMP+BPF_K with JEQ, JSET, JGE, and BPF_RET+BPF_K (linux/bpf_common.h)."""
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24
"""Where struct seccomp_data has them; of arguments the lower half, on machines with the lower half first."""
_X32 = 0x40000000
_UNIX, _IPV4, _IPV6 = 1, 2, 10
_NEW_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C

_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64 (linux/audit.h)."""

_FORBIDDEN: dict[str, tuple[int, int]] = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "acct": (163, 89),
    "syslog": (103, 116),
    "vhangup": (153, 58),
}
"""EPERM. The numbers are those of x86-64 and of 64-bit ARM."""
_ONLY_X86 = {"uselib": 134, "modify_ldt": 154, "iopl": 172, "ioperm": 173}
_ABSENT: dict[str, tuple[int, int]] = {
    "clone3": (435, 435),  # its flags lie in memory, where no filter can look; C libraries go on with clone
    "memfd_create": (319, 279),  # memory that belongs to no process and no file system
    "memfd_secret": (447, 447),
    "io_uring_setup": (425, 425),  # a way to make calls that no filter sees
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}
"""ENOSYS, as an older kernel answers: programs have another way."""
_CLONE, _IOCTL, _SOCKET, _SOCKETPAIR = (56, 220), (16, 29), (41, 198), (53, 199)

MACHINES = tuple(_AUDIT)
"""What ``platform.machine()`` says where a filter is known."""


def build_filter(machine: str) -> bytes:
    """The filter for one of MACHINES; raises KeyError for another."""
    column = MACHINES.index(machine) if machine in _AUDIT else 0
    program = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, _AUDIT[machine], yes=1),
        # Another kind of call on the same machine has other numbers.
        _step(_RETURN, _ERRNO | errno.ENOSYS),
        _step(_LOAD, _NUMBER),
    ]
    if machine == "x86_64":
        program += [_step(_AT_LEAST, _X32, no=1), _step(_RETURN, _ERRNO | errno.ENOSYS)]
    forbidden = [numbers[column] for numbers in _FORBIDDEN.values()]
    forbidden += _ONLY_X86.values() if machine == "x86_64" else []
    for number in forbidden:
        program += [_step(_EQUAL, number, no=1), _step(_RETURN, _ERRNO | errno.EPERM)]
    for numbers in _ABSENT.values():
        program += [_step(_EQUAL, numbers[column], no=1), _step(_RETURN, _ERRNO | errno.ENOSYS)]
    program += [
        _step(_EQUAL, _CLONE[column], no=4),
        _step(_LOAD, _FIRST),
        _step(_ANY_BIT, _NEW_NAMESPACES, no=1),
        _step(_RETURN, _ERRNO | errno.EPERM),
        _step(_RETURN, _ALLOW),
        _step(_EQUAL, _IOCTL[column], no=5),
        _step(_LOAD, _SECOND),
        _step(_EQUAL, _TIOCSTI, yes=1),
        _step(_EQUAL, _TIOCLINUX, no=1),
        _step(_RETURN, _ERRNO | errno.EPERM),
        _step(_RETURN, _ALLOW),
    ]
    for call in (_SOCKET, _SOCKETPAIR):
        program += [
            _step(_EQUAL, call[column], no=6),
            _step(_LOAD, _FIRST),
            _step(_EQUAL, _UNIX, yes=3),
            _step(_EQUAL, _IPV4, yes=2),
            _step(_EQUAL, _IPV6, yes=1),
            _step(_RETURN, _ERRNO | errno.EAFNOSUPPORT),
            _step(_RETURN, _ALLOW),
        ]
    return b"".join([*program, _step(_RETURN, _ALLOW)])


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """struct sock_filter; ``yes`` and ``no`` are how many steps are left out then."""
    return struct.pack("=HBBI", code, yes, no, value)
