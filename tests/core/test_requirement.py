"""Requirements: what packaging reads, and nothing that would end it."""

import pytest
from packaging.requirements import InvalidRequirement

from wheelkeep.core.requirement import read_requirement


def test_what_is_one() -> None:
    read = read_requirement('demo[x]>=1,<2 ; (os_name == "nt")')
    assert (read.name, read.extras, str(read.specifier)) == ("demo", {"x"}, "<2,>=1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no requirement",
        "demo; " + "(" * 5_000 + 'os_name == "nt"' + ")" * 5_000,
        "demo; " + "(" * 400 + 'os_name == "nt"' + ")" * 400,
        "demo>=" + "1" * 5_000,
        "demo==1+" + "2" * 5_000,
        'demo; os_name == "\\n--index-url=x"',
        'demo; os_name == "\\ud800"',
        "demo[" + "a," * 20_000 + "a]",
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(InvalidRequirement):
        read_requirement(text)
