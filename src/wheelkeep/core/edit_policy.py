"""``policy.toml`` with something added: text in, text out, and whatever else stands there stays as it is, byte by byte.

Only insertions are made, so comments, order and the writer's layout cannot be lost. Each result is read again: it must
say what the text before it said and what was added, and nothing else. What the tables mean lives in read_policy.
"""

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from packaging.specifiers import SpecifierSet

from wheelkeep.core.rules import Rule, read_rule
from wheelkeep.core.toml_lines import ArraySpan, array_spans, key_lines
from wheelkeep.core.verdict import Waiver

_WIDTH = 100
_INDENT = "    "
_MARK = "\ufeff"


def allowing(text: str, requirements: Iterable[str], why: Mapping[str, str] | None = None) -> str:
    """The policy with requirements added to ``[allow] packages``; those that stand there are not written again.

    ``why`` has words for a comment beside a requirement. Where no ``[allow]`` is, one is begun, and from then on all
    that it does not name is blocked: that is the caller's to know. Raises ValueError for what is no requirement, and
    for a text that is not TOML or is laid out so that nothing can be added to it.
    """
    return _marked(text, lambda bare: _listing(bare, "allow", requirements, why or {}))


def denying(text: str, requirements: Iterable[str], why: Mapping[str, str] | None = None) -> str:
    """The policy with requirements added to ``[deny] packages``. Raises ValueError like ``allowing``."""
    return _marked(text, lambda bare: _listing(bare, "deny", requirements, why or {}))


def reasoned(text: str, reason: str) -> str:
    """The policy with the reason of its ``[deny]``, which all its denials share. Raises ValueError where there is
    another one already."""
    return _marked(text, lambda bare: _reasoned(bare, reason))


def waiving(text: str, waivers: Iterable[Waiver]) -> str:
    """The policy with a ``[[waiver]]`` table at its end for each waiver that is not there. Raises ValueError."""
    return _marked(text, lambda bare: _waived(bare, waivers))


def _marked(text: str, edit: Callable[[str], str]) -> str:
    """Edits what follows the mark that some editors put at the start, which TOML does not know."""
    bare = text.removeprefix(_MARK)
    return text[: len(text) - len(bare)] + edit(bare)


def _waived(text: str, waivers: Iterable[Waiver]) -> str:
    before = _data(text)
    there = before.get("waiver", [])
    new = [written for waiver in dict.fromkeys(waivers) if (written := _waiver(waiver)) not in there]
    if not new:
        return text
    if ("waiver",) in array_spans(text):
        raise ValueError(
            "the policy's waivers are written as one list: write each below a [[waiver]] of its own"
        )
    tables = ("\n".join(["", "[[waiver]]", *_lines(written), ""]) for written in new)
    return _proven(_ended(text) + _broken("".join(tables), text), {**before, "waiver": [*there, *new]})


def _listing(text: str, table: str, requirements: Iterable[str], why: Mapping[str, str]) -> str:
    before = _data(text)
    listed = before.get(table, {})
    there = listed.get("packages", []) if isinstance(listed, dict) else None
    if not isinstance(there, list) or not all(isinstance(one, str) for one in there):
        raise ValueError(f"[{table}] packages is not a list of requirements: mend that first")
    known = {_meaning(read_rule(one, globs=True)) for one in there}
    new: list[str] = []
    for requirement in requirements:
        rule = read_rule(requirement, globs=True)
        if _meaning(rule) not in known:
            known.add(_meaning(rule))
            new.append(rule.text)
    if not new:
        return text
    comments = {read_rule(one, globs=True).text: _remark(words) for one, words in why.items()}
    room = _with_packages(text, table, before)
    elements = [(_quoted(one), comments.get(one, "")) for one in new]
    after = _inserted(room, array_spans(room).get((table, "packages")), elements)
    return _proven(after, {**before, table: {**listed, "packages": [*there, *new]}})


def _reasoned(text: str, reason: str) -> str:
    before = _data(text)
    table = before.get("deny", {})
    if (there := table.get("reason")) is not None:
        if there == reason:
            return text
        raise ValueError(f'[deny] has another reason, "{there}", which all its denials share')
    after = _below(text, "deny", f"reason = {_quoted(reason)}\n")
    return _proven(after, {**before, "deny": {**table, "reason": reason}})


def _with_packages(text: str, table: str, before: dict[str, Any]) -> str:
    """The text with an empty ``packages`` in a table where there is none, and the table too."""
    if "packages" in before.get(table, {}):
        return text
    if table not in before:
        gap = _broken("\n", text) if text.strip() else ""
        return _ended(text) + gap + _broken(f"[{table}]\npackages = []\n", text)
    return _below(text, table, "packages = []\n")


def _below(text: str, table: str, line: str) -> str:
    """A line below a table's header, as what stands at the table's end may be the comment of the next one."""
    ended, at = _ended(text), 0
    for _ in range(key_lines(text).get((table,), 1)):
        at = ended.index("\n", at) + 1
    return ended[:at] + _broken(line, text) + ended[at:]


def _inserted(text: str, span: ArraySpan | None, elements: Sequence[tuple[str, str]]) -> str:
    """Elements with a comment or none at an array's end: on its line where there is room, else a line each."""
    if span is None:
        raise ValueError(
            "the list of packages was not found: write it as packages = [ … ] below its table's name"
        )
    if "\n" not in text[span.start : span.close]:
        return _in_line(text, span, elements)
    indent = _INDENT
    if span.values:
        first, last = span.values[0][0], span.values[-1][1]
        before = text[text.rfind("\n", 0, first) + 1 : first]
        indent = before if not before.strip() else _INDENT
        kept = text[:last] + ("" if span.comma else ",") + text[last : span.close]
    else:
        kept = text[: span.close]
    margin = text[text.rfind("\n", 0, span.close) + 1 : span.close]
    added = _broken("\n" + "".join(_each(elements, indent)), text)
    return kept.rstrip() + added + (margin if not margin.strip() else "") + text[span.close :]


def _in_line(text: str, span: ArraySpan, elements: Sequence[tuple[str, str]]) -> str:
    values = [text[start:end] for start, end in span.values]
    line = "[" + ", ".join([*values, *(value for value, _ in elements)]) + "]"
    begin = text.rfind("\n", 0, span.start) + 1
    if any(comment for _, comment in elements) or span.start - begin + len(line) > _WIDTH:
        lines = [*_each([(value, "") for value in values], _INDENT), *_each(elements, _INDENT)]
        line = _broken("[\n" + "".join(lines) + "]", text)
    return text[: span.start] + line + text[span.close + 1 :]


def _each(elements: Sequence[tuple[str, str]], indent: str) -> list[str]:
    return [f"{indent}{value},{f'  # {comment}' if comment else ''}\n" for value, comment in elements]


def _meaning(rule: Rule) -> tuple[str, bool, frozenset[str]]:
    return rule.name, rule.glob, frozenset(str(one) for one in SpecifierSet(rule.specifier))


def _waiver(waiver: Waiver) -> dict[str, Any]:
    return {
        "package": waiver.package,
        "gates": list(waiver.gates),
        "reason": waiver.reason,
        "by": waiver.by,
        "until": waiver.until,
    }


def _lines(written: dict[str, Any]) -> list[str]:
    return [
        f"package = {_quoted(written['package'])}",
        f"gates = [{', '.join(_quoted(gate) for gate in written['gates'])}]",
        f"reason = {_quoted(written['reason'])}",
        f"by = {_quoted(written['by'])}",
        f"until = {written['until'].isoformat()}",
    ]


def _quoted(text: str) -> str:
    """A TOML basic string (toml.io/en/v1.0.0#string): JSON's escapes are among its own, and DEL is to be escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _remark(words: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in words).strip()


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + _broken("\n", text)


def _broken(added: str, text: str) -> str:
    """What is added, with the line breaks that the text has."""
    return added.replace("\n", "\r\n") if "\r\n" in text else added


def _data(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"this is not TOML: {error}") from None


def _proven(text: str, expected: dict[str, Any]) -> str:
    try:
        if tomllib.loads(text) == expected:
            return text
    except ValueError:
        pass
    raise ValueError(
        "nothing could be added to the policy as it is laid out: write its tables as [name] with a line a key"
    )
