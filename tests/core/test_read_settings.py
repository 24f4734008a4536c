from pathlib import Path

import pytest

from wheelkeep.core.errors import ConfigError
from wheelkeep.core.read_settings import default_settings, exposure, read_settings
from wheelkeep.core.settings import HostedSource, IndexSettings, RemoteSource, Secret, Settings

BASE = Path("/etc/wk")
PYPI = "https://upstream.example/simple/"


def read(text: str, **secrets: str) -> Settings:
    def secret(reference: str) -> str:
        return secrets[reference.removeprefix("env:")]

    return read_settings(text, file="w.toml", base=BASE, secret=secret, pypi_url=PYPI)


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_the_default() -> None:
    assert default_settings(base=BASE, pypi_url=PYPI.rstrip("/")) == Settings(
        data=BASE / "wheelkeep-data",
        host="127.0.0.1",
        port=8080,
        sources={
            "local": HostedSource(name="local"),
            "pypi": RemoteSource(name="pypi", url=PYPI),
        },
        indexes={"main": IndexSettings(name="main", sources=(("local",), ("pypi",)), publish="local")},
    )


def test_an_empty_file_is_the_default() -> None:
    default = default_settings(base=BASE, pypi_url=PYPI)
    for text in ("", "# nothing\n[sources]\n[indexes]\n"):
        settings = read(text)
        assert settings.origin == BASE / "w.toml"
        assert settings.sources == default.sources
        assert settings.indexes == default.indexes
        assert (settings.data, settings.host, settings.port) == (default.data, default.host, default.port)
        assert not settings.warnings


def test_every_key_of_the_whole_file() -> None:
    settings = read(
        """
        data = "/srv/keep"
        listen = "[::1]:9000"
        public_url = "https://packages.acme.example/py/"
        database = "sqlite"
        store = "local"
        workers = 4
        [s3]
        endpoint = "https://s3.acme.example/"
        region = "eu-central-1"
        access_key = "env:KEY"
        secret_key = "env:SECRET"
        """,
        KEY="hunter1",
        SECRET="hunter2",
    )
    assert settings.data == Path("/srv/keep")
    assert (settings.host, settings.port) == ("::1", 9000)
    assert settings.public_url == "https://packages.acme.example/py"
    assert settings.workers == 4
    assert settings.s3.endpoint == "https://s3.acme.example"
    assert settings.s3.region == "eu-central-1"
    kept = settings.s3.secret_key
    assert isinstance(kept, Secret)
    assert kept.reveal() == "hunter2"
    assert "hunter" not in repr(settings)
    assert not settings.warnings


def test_sources_without_indexes() -> None:
    settings = read(
        """
        [sources.pypi]
        kind = "remote"
        url = "pypi"
        [sources.acme]
        kind = "hosted"
        """
    )
    assert settings.indexes == {
        "main": IndexSettings(name="main", sources=(("pypi",), ("acme",)), publish="acme")
    }


def test_sources_without_indexes_and_no_single_hosted_one() -> None:
    two = read('[sources.a]\nkind = "hosted"\n[sources.b]\nkind = "hosted"')
    none = read('[sources.a]\nkind = "remote"\nurl = "pypi"')
    for settings in (two, none):
        assert settings.main is not None
        assert settings.main.publish is None


def test_indexes_without_sources_have_the_built_in_ones() -> None:
    settings = read('[indexes.ours]\nsources = ["local"]\n[indexes.all]\nsources = ["local", "pypi"]')
    assert list(settings.sources) == ["local", "pypi"]
    assert list(settings.indexes) == ["ours", "all"]
    (mistake,) = mistakes('[indexes.main]\nsources = ["acme"]')
    assert '"acme" is not a source of this configuration: known here: local, pypi' in mistake


def test_the_built_in_ones_are_gone_where_sources_are_written() -> None:
    (mistake,) = mistakes('[sources.acme]\nkind = "hosted"\n[indexes.main]\nsources = ["acme", "pypi"]')
    assert '"pypi" is not a source of this configuration' in mistake


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('lisen = "x"', 'lisen: is not a known key: did you mean "listen"?'),
        ("[source.x]", 'source: is not a known key: did you mean "sources"?'),
        ("listen = 8080", "listen: must be text"),
        ('listen = ":8080"', "listen: must be HOST:PORT"),
        ('public_url = "packages.example"', "public_url: must be an absolute URL"),
        ('public_url = "https://x.example/?a"', "public_url: must end with its path"),
        ("workers = 0", "workers: is 0: it must be from 1 to 64"),
        ("workers = 65", "workers: is 65"),
        ('workers = "2"', "workers: must be a whole number"),
        ('experimental = "x"', 'experimental: must be a list: write ["x"]'),
        ('database = "mysql://u:hunter2@h/n"', 'database: must be "sqlite" or "postgresql://'),
        ('store = "gs://hunter2"', 'store: must be "local" or "s3://'),
        ("sources = []", "sources: must be a table"),
        ('[s3]\nregoin = "x"', 'did you mean "region"?'),
        ('[s3]\nregion = "a b"', "s3.region: must be a region's name"),
        ('[s3]\nendpoint = "s3.example"', "s3.endpoint: must be an absolute URL"),
        ('[s3]\nsecret_key = "env:GONE"', "GONE is not set"),
        ('[s3]\naccess_key = "hunter2"', "s3.access_key: is of no use without secret_key"),
        ('[sources.a]\nkind = "hosted"\nworkers = 2', "write it above the first [table]"),
        ('data = "~nobody-of-that-name/x"', "no home folder"),
    ],
)
def test_mistakes(text: str, words: str) -> None:
    (mistake,) = mistakes(text)
    assert words in mistake
    assert "hunter2" not in mistake


def test_all_mistakes_are_told_at_once_and_in_order() -> None:
    told = mistakes(
        'workers = 0\n[indexes.main]\nsources = ["x"]\nmerge = "floor"\n[sources.a]\nkind = "b"\n[zzz]\n'
    )
    assert [mistake.split(": ")[0] for mistake in told] == ["w.toml:1", "w.toml:3", "w.toml:6", "w.toml:7"]


def test_what_is_unwise_is_told_in_order() -> None:
    settings = read(
        """listen = "0.0.0.0:8080"
experimental = ["warp"]
[sources.vendor]
kind = "remote"
url = "http://vendor.example/simple/"
password = "hunter2"
"""
    )
    assert [warning.split(": ")[:2] for warning in settings.warnings] == [
        ["w.toml:1", "listen"],
        ["w.toml:2", "experimental[0]"],
        ["w.toml:5", "sources.vendor.url"],
        ["w.toml:6", "sources.vendor.password"],
    ]
    assert "hunter2" not in repr(settings)


def test_exposure() -> None:
    settings = default_settings(base=BASE, pypi_url=PYPI)
    for host in ("127.0.0.1", "::1", "localhost"):
        assert exposure(host, settings) is None
    for host in ("0.0.0.0", "::", "10.1.2.3", "packages.example"):
        assert "main" in (exposure(host, settings) or "")


def test_trust_roots() -> None:
    assert read("").trust_roots == (None,)
    told = read('trust_roots = ["public", "own.json", "/srv/other.json"]').trust_roots
    assert told == (None, BASE / "own.json", Path("/srv/other.json"))
    (says,) = mistakes("trust_roots = []")
    assert says.startswith("w.toml:1: trust_roots: is empty")
    (says,) = mistakes('trust_roots = "own.json"')
    assert 'write ["own.json"]' in says
