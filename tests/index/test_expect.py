"""A policy held against expectations, over sources in memory."""

from pathlib import Path

import pytest

from fakes.indexes import Pointed
from fakes.made import found
from fakes.stores import Store
from wheelkeep.core.expectations import read_expectations
from wheelkeep.core.model import Absent, Unreachable
from wheelkeep.core.names import SourceName
from wheelkeep.index import expect
from wheelkeep.index.policies import PolicyHolder

PYPI = SourceName("pypi")


@pytest.fixture
def pointed(store: Store) -> Pointed:
    made = Pointed(store)
    made.pypi.says(found("pypi", "1.0", "2.0", "10.0"))
    made.pypi.says(Absent(source=PYPI), project="gone")
    made.pypi.says(Unreachable(source=PYPI, reason="it is away"), project="away")
    return made


async def tried(pointed: Pointed, tmp_path: Path, policy: str, *lines: str) -> list[str]:
    path = tmp_path / "policy.toml"
    path.write_text(policy)
    holder = PolicyHolder(path, {source.name: source.remote for source in pointed.sources})
    expectations = read_expectations("\n".join(f"expect {line}" for line in lines), file="policy.expect")
    done = await expect.test(pointed.index, holder.current, expectations, names=("p", "e"))
    assert (done.index, done.policy, done.file) == ("main", "p", "e")
    assert done.holding == sum(one.holds for one in done.expectations)
    assert done.failing == len(lines) - done.holding
    return [one.says if not one.holds else "" for one in done.expectations]


async def test_each_line_is_tried(pointed: Pointed, tmp_path: Path) -> None:
    policy = '[allow]\npackages = ["demo<10", "gone", "away"]\n'
    says = await tried(
        pointed,
        tmp_path,
        policy,
        '"demo==1.0" admitted',
        '"demo" blocked',
        '"demo>2" admitted',
        '"gone" blocked',
        '"away" blocked',
        '"unlisted" blocked by allow',
        '"unlisted" admitted',
    )
    assert says == [
        "",
        "2 of 3 files are admitted, such as demo-1.0-py3-none-any.whl",
        "demo-10.0-py3-none-any.whl is blocked by allow: demo 10.0 is not on the allow list, which has demo<10",
        "no source of this index has gone",
        "the source pypi might have away, but it is away",
        "",
        "it is blocked by allow: unlisted is not on the allow list",
    ]
    assert "unlisted" not in {project for project, *_ in pointed.pypi.asked}
