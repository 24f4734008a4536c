"""Certificates for servers on 127.0.0.1, made by openssl for one run of the tests."""

import ssl
import subprocess
from pathlib import Path

from fakes.tools import tool


def certificate(folder: Path, *names: str, authority: bool = True) -> Path:
    """One file with a key and a certificate that vouches for itself, for the given names and 127.0.0.1.

    ``authority``: it says that it may vouch for others; some clients refuse a server's that does.
    """
    openssl = tool("openssl")
    key, made = folder / "key.pem", folder / "certificate.pem"
    alternatives = ",".join(["IP:127.0.0.1", "DNS:localhost", *(f"DNS:{name}" for name in names)])
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(made), "-days", "2", "-subj", "/CN=outside"]
    command += ["-addext", f"subjectAltName={alternatives}"]
    if not authority:
        command += ["-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run(command, check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_text(made.read_text() + key.read_text())
    return both


def server(both: Path) -> ssl.SSLContext:
    """The server's side."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context
