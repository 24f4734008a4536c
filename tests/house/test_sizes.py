"""Small files, short functions, nothing put off."""

import ast
import re

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
# In pieces, so that this file does not break its own rule.
PUT_OFF = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")


def test_no_file_is_long(sources: dict[str, str]) -> None:
    long = {name: lines for name, text in sources.items() if (lines := len(text.splitlines())) > LONGEST_FILE}
    assert not long, f"files of more than {LONGEST_FILE} lines"


def test_no_function_is_long(sources: dict[str, str]) -> None:
    long = {
        f"{name}:{node.lineno} {node.name}": lines
        for name, text in sources.items()
        if "/migrations/versions/" not in name  # a migration is a list of tables
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    }
    assert not long, f"functions of more than {LONGEST_FUNCTION} lines"


def test_nothing_is_put_off(texts: dict[str, str]) -> None:
    put_off = [
        f"{name}:{number}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if PUT_OFF.search(line)
    ]
    assert not put_off
