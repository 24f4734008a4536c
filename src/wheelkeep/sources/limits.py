"""The bounds of a remote source's answers: nothing outside may take more time, memory or tries than this."""

from msgspec import Struct

_KIB = 1 << 10
_MIB = 1 << 20


class Limits(Struct, frozen=True, kw_only=True):
    """Times in seconds, sizes in bytes."""

    connect: float = 3.0
    """For one address: TCP and TLS together."""
    first_byte: float = 8.0
    """From the request to the end of a page's headers."""
    silence: float = 8.0
    """Between two reads of a page."""
    whole: float = 30.0
    """A page with all its tries, however steadily it drips."""
    packed: int = 32 * _MIB
    """A page as it comes over the wire."""
    unpacked: int = 64 * _MIB
    """A page when unpacked."""
    header_line: int = 16 * _KIB
    redirects: int = 5
    tries: int = 3
    pause: float = 0.15
    """Before the second try; doubled before each next one, less a random part."""
    patience: float = 3.0
    """The longest Retry-After that is waited for."""
    file_first_byte: float = 20.0
    file_silence: float = 20.0
    resumes: int = 2
    """How often a file that breaks off is taken up again."""
    slowest: int = _KIB
    """Bytes a second that a file must come with on average ..."""
    slow_after: float = 30.0
    """... once so much time was spent waiting for it; the reader's own time does not count."""
    connections: int = 256
