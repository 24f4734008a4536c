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

_NETRC = '# its token: a line in ~/.netrc, "machine {host} login __token__ password TOKEN"\n'
_TOKENS = {
    "pip": _NETRC,
    "uv": "# its token: in UV_INDEX_WHEELKEEP_PASSWORD, with UV_INDEX_WHEELKEEP_USERNAME=__token__\n",
    "poetry": (
        "# its token: in POETRY_HTTP_BASIC_WHEELKEEP_PASSWORD,"
        " with POETRY_HTTP_BASIC_WHEELKEEP_USERNAME=__token__\n"
    ),
    "pdm": "# its token: in PDM_PYPI_PASSWORD, with PDM_PYPI_USERNAME=__token__\n",
    "pipenv": _NETRC,
    "hatch": _NETRC,
    "twine": "",
}


def client_config(client: str, *, simple: str, upload: str, closed: bool = False) -> str:
    """The configuration that one of CLIENTS needs, as text to paste. ``simple`` and ``upload`` are addresses.

    ``closed``: reading needs a token, so a comment says where the client looks for it. Raises KeyError for a client
    that is not known.
    """
    parts = urlsplit(simple)
    insecure = parts.scheme == "http"
    host = parts.hostname or ""
    # pip refuses plain http to anything but this machine unless told otherwise.
    trusted = f"trusted-host = {host}\n" if insecure and not _loopback(host) else ""
    verify = "false" if insecure else "true"
    text = _TEXTS[client] + (_TOKENS[client] if closed else "")
    return text.format(simple=simple, upload=upload, trusted=trusted, verify=verify, host=host)


def _loopback(host: str) -> bool:
    return host.startswith("127.") or host in ("localhost", "::1")
