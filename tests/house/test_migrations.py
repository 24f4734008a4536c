"""The migrations are one line: each follows the one before it, and the last is what a data folder is brought to."""

import re
from pathlib import Path

from wheelkeep.store.prepare import HEAD

_TOLD = re.compile(r'^(revision|down_revision) = "?(\w+)"?$', re.MULTILINE)


def test_each_follows_the_one_before(root: Path) -> None:
    paths = sorted((root / "src/wheelkeep/store/migrations/versions").glob("r*.py"))
    told = [dict(_TOLD.findall(path.read_text(encoding="utf-8"))) for path in paths]
    numbers = [f"{number:04}" for number in range(1, len(paths) + 1)]
    assert [path.name[1:5] for path in paths] == numbers
    assert [one["revision"] for one in told] == numbers
    assert [one["down_revision"] for one in told] == ["None", *numbers[:-1]]
    assert numbers[-1] == HEAD
