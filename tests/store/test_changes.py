"""A change is seen by everybody who has the same data folder open, and by nobody else."""

import subprocess
import sys
from pathlib import Path

from wheelkeep.store.changes import Changes

MARK = """
import sys
from pathlib import Path
from wheelkeep.store.changes import Changes
Changes(Path(sys.argv[1])).mark()
"""


def test_a_mark_is_seen_by_all_who_share_the_folder(tmp_path: Path) -> None:
    here, there, elsewhere = Changes(tmp_path), Changes(tmp_path), Changes(_folder(tmp_path / "other"))
    before = here.stamp
    assert there.stamp == before
    there.mark()
    assert here.stamp == there.stamp != before
    assert elsewhere.stamp == 0


def test_a_mark_of_another_process_is_seen(tmp_path: Path) -> None:
    here = Changes(tmp_path)
    before = here.stamp
    subprocess.run([sys.executable, "-c", MARK, str(tmp_path)], check=True)
    assert here.stamp != before
    assert Changes(tmp_path).stamp == here.stamp


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
