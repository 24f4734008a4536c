"""A text file is replaced whole, with its permissions, and only if it is still what was read."""

from pathlib import Path

import pytest

from wheelkeep.core.errors import WheelkeepError
from wheelkeep.store.text_file import TextFile


def test_it_is_replaced_with_its_permissions_and_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes(b"one\r\n")
    path.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(path)
    file = TextFile(link)
    assert file.text == "one\r\n"
    file.replace("two\r\n")
    assert path.read_bytes() == b"two\r\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link.toml", "policy.toml"]


def test_what_somebody_else_changed_stays(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("one\n")
    file = TextFile(path)
    path.write_text("theirs\n")
    with pytest.raises(WheelkeepError, match="changed by somebody else"):
        file.replace("two\n")
    assert path.read_text() == "theirs\n"
    assert [one.name for one in tmp_path.iterdir()] == ["policy.toml"]


def test_what_cannot_be_read_or_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(WheelkeepError, match="cannot be read"):
        TextFile(tmp_path / "none.toml")
    path = tmp_path / "policy.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(WheelkeepError, match="cannot be read"):
        TextFile(path)
    path.write_text("one\n")
    file = TextFile(path)
    path.unlink()
    with pytest.raises(WheelkeepError, match="cannot be written"):
        file.replace("two\n")
