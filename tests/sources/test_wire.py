"""aiohttp as we have it: imported without the system's certificates, which nobody but ``trust`` reads."""

import re
import ssl
import subprocess
import sys
from pathlib import Path

import wheelkeep
from fakes.server import environment
from wheelkeep.sources.wire import aiohttp

COUNT = """
import ssl
read = []
ssl.SSLContext.load_default_certs = lambda *_: read.append("all")
made = ssl.create_default_context
import wheelkeep.sources.client
from wheelkeep.sources import trust
assert ssl.create_default_context is made
print(len(read), end=" ")
trust.context()
print(len(read))
"""


def test_certificates_are_read_when_somebody_needs_them() -> None:
    ran = subprocess.run([sys.executable, "-c", COUNT], env=environment(), capture_output=True, text=True)
    assert ran.stdout == "0 1\n", ran.stderr


def test_what_brings_no_context_believes_nobody() -> None:
    context = aiohttp.connector._SSL_CONTEXT_VERIFIED  # type: ignore[attr-defined]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert not context.get_ca_certs()


def test_nobody_imports_aiohttp_but_from_there() -> None:
    code = Path(wheelkeep.__file__).parent
    found = {
        path.name
        for path in code.rglob("*.py")
        if re.search(r"(?m)^\s*(import|from) aiohttp", path.read_text())
    }
    assert found == {"wire.py"}
