"""What ``export wheelhouse`` says at its end."""

import pytest

from wheelkeep.cli.export import _print
from wheelkeep.index.wheelhouse import Wheelhouse


@pytest.mark.parametrize(
    ("address", "requirements"),
    [
        ("/srv/house", "/srv/house/requirements.txt"),
        ("https://builds.example/house/", "https://builds.example/house/requirements.txt"),
        ("https://builds.example/house/index.html", "https://builds.example/house/requirements.txt"),
        (None, "URL/requirements.txt"),
    ],
)
def test_the_last_line_names_the_requirements_beside_the_page(
    address: str | None, requirements: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _print(Wheelhouse(files=0, bytes=0), "house", address)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith(f" --find-links {address or 'URL'} --require-hashes -r {requirements}")
