"""What to type, or write down, so that each client uses an index. Each client's own documentation is the source."""

from urllib.parse import urlsplit

CLIENTS = ("pip", "uv", "poetry", "pdm", "pipenv", "hatch", "twine")

_TEXTS = {
    "pip": """\
# ~/.config/pip/pip.conf, or PIP_INDEX_URL={simple}
[global]
index-url = {simple}
{trusted}""",
    "uv": """\
# uv.toml, or UV_DEFAULT_INDEX={simple}
[[index]]
name = "wheelkeep"
url = "{simple}"
default = true
""",
    "poetry": """\
# pyproject.toml
[[tool.poetry.source]]
name = "wheelkeep"
url = "{simple}"
priority = "primary"
""",
    "pdm": """\
# pyproject.toml; the name "pypi" takes the public index's place
[[tool.pdm.source]]
name = "pypi"
url = "{simple}"
verify_ssl = {verify}
""",
    "pipenv": """\
# Pipfile
[[source]]
name = "wheelkeep"
url = "{simple}"
verify_ssl = {verify}
""",
    "hatch": """\
# pyproject.toml; pip and uv, which hatch runs, read these
[tool.hatch.envs.default.env-vars]
PIP_INDEX_URL = "{simple}"
UV_DEFAULT_INDEX = "{simple}"
""",
    "twine": """\
# ~/.pypirc
[distutils]
index-servers = wheelkeep

[wheelkeep]
repository = {upload}
username = __token__
""",
}


def client_config(client: str, *, simple: str, upload: str) -> str:
    """The configuration that one of CLIENTS needs, as text to paste. ``simple`` and ``upload`` are addresses.

    Raises KeyError for a client that is not known.
    """
    parts = urlsplit(simple)
    insecure = parts.scheme == "http"
    host = parts.hostname or ""
    # pip refuses plain http to anything but this machine unless told otherwise.
    trusted = f"trusted-host = {host}\n" if insecure and not _loopback(host) else ""
    verify = "false" if insecure else "true"
    return _TEXTS[client].format(simple=simple, upload=upload, trusted=trusted, verify=verify)


def _loopback(host: str) -> bool:
    return host.startswith("127.") or host in ("localhost", "::1")
