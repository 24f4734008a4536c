"""No file of the project names a public registry's host, or a place on somebody's machine.

A registry's address is a choice of the operator, or of the standard tools that are asked for it at run time.
"""

import re

# In pieces, so that the check does not name what it looks for.
HOSTS = ["py" + "pi.org", "py" + "pi.python.org", "python" + "hosted", "debian" + ".org", "npm" + "js"]
HOST = re.compile("|".join(re.escape(host) for host in HOSTS), re.IGNORECASE)
PLACE = re.compile(r"(?<![\w.:/}-])/(?:home|Users|root|work)/\w")


def lines_with(pattern: re.Pattern[str], texts: dict[str, str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_registry_host(texts: dict[str, str]) -> None:
    assert not lines_with(HOST, texts)


def test_no_place_on_a_machine(texts: dict[str, str]) -> None:
    assert not lines_with(PLACE, texts)
