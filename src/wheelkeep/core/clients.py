"""What to type, or write down, so that each client uses an index. Each client's own documentation is the source."""

CLIENTS = ("pip", "uv", "poetry", "pdm", "pipenv", "hatch", "twine")


def client_config(client: str, *, simple: str, upload: str) -> str:
    """The configuration that one of CLIENTS needs, as text to paste. ``simple`` and ``upload`` are addresses.

    Raises KeyError for a client that is not known.
    """
    insecure = simple.startswith("http://")
    host = simple.split("//", 1)[1].split("/", 1)[0]
    trusted = f"trusted-host = {host.split(':')[0]}\n" if insecure and not _loopback(host) else ""
    return {
        "pip": f"# ~/.config/pip/pip.conf, or PIP_INDEX_URL={simple}\n[global]\nindex-url = {simple}\n{trusted}",
        "uv": f'# uv.toml, or UV_DEFAULT_INDEX={simple}\n[[index]]\nname = "wheelkeep"\nurl = "{simple}"\ndefault = true\n',
        "poetry": f'# pyproject.toml\n[[tool.poetry.source]]\nname = "wheelkeep"\nurl = "{simple}"\npriority = "primary"\n',
        "pdm": f'# pyproject.toml\n[[tool.pdm.source]]\nname = "pypi"\nurl = "{simple}"\nverify_ssl = {str(not insecure).lower()}\n',
        "pipenv": f'# Pipfile\n[[source]]\nname = "wheelkeep"\nurl = "{simple}"\nverify_ssl = {str(not insecure).lower()}\n',
        "hatch": f'# pyproject.toml; pip and uv, which hatch runs, read these\n[tool.hatch.envs.default.env-vars]\nPIP_INDEX_URL = "{simple}"\nUV_DEFAULT_INDEX = "{simple}"\n',
        "twine": f"# ~/.pypirc\n[distutils]\nindex-servers = wheelkeep\n\n[wheelkeep]\nrepository = {upload}\nusername = __token__\n",
    }[client]


def _loopback(host: str) -> bool:
    return host.startswith(("127.", "localhost", "[::1]"))
