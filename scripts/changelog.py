"""Collects the fragments in changelog.d into CHANGELOG.md under VERSION; without one it prints them."""

import re
import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MARK = "<!-- releases -->\n"
KINDS = ("added", "changed", "fixed", "removed", "security")
NAME = re.compile(rf"\+[a-z0-9-]+\.({'|'.join(KINDS)})\.md")


def fragments() -> list[Path]:
    """Every fragment, by name; ends with a sentence where a name is wrong."""
    found = sorted(path for path in (ROOT / "changelog.d").iterdir() if path.name != "README.md")
    if wrong := [path.name for path in found if not NAME.fullmatch(path.name)]:
        sys.exit(f"not a fragment's name: {', '.join(wrong)}; see changelog.d/README.md")
    return found


def section(heading: str, found: list[Path]) -> str:
    """One release: its heading, and the fragments under their kinds."""
    parts = [f"## {heading}\n"]
    for kind in KINDS:
        texts = [
            path.read_text(encoding="utf-8").split() for path in found if path.name.endswith(f".{kind}.md")
        ]
        if texts:
            lines = "\n".join(f"- {' '.join(words)}" for words in texts)
            parts.append(f"### {kind.capitalize()}\n\n{lines}\n")
    return "\n".join(parts)


def main() -> None:
    found = fragments()
    if len(sys.argv) == 1:
        sys.stdout.write(section("Not yet released", found))
        return
    changelog = ROOT / "CHANGELOG.md"
    before, mark, after = changelog.read_text(encoding="utf-8").partition(MARK)
    if not mark:
        sys.exit("CHANGELOG.md has lost its line <!-- releases -->")
    new = section(f"{sys.argv[1]} ({date.today().isoformat()})", found)  # noqa: DTZ011 - the day where it is released
    changelog.write_text(f"{before}{mark}\n{new}{after}", encoding="utf-8")
    for path in found:
        path.unlink()


if __name__ == "__main__":
    main()
