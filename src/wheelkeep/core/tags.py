"""The few start tags of an HTML text that a page of the Simple API is made of, found without building a tree.

A tree is where an HTML parser can be made to work for minutes over half a megabyte: tags nested a hundred thousand
deep, thousands of attributes in one tag. So the text is first cut into tokens by one expression, each byte passed
over once, by the rules of the HTML standard's tokenizer (section 13.2.5). The parser then reads nothing but the tags
that are wanted, one after the other, each bounded: it decides what an attribute's value is, and nests nothing.
"""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser

Attributes = dict[str, str]

_MOST_ATTRIBUTES = 32
_LONGEST_TAG = 64 * 1024
_AT_A_TIME = 500

_SPACE = rb"[\t\n\f\r ]"
_ATTRIBUTE = (
    rb"[^\t\n\f\r />][^\t\n\f\r />=]*+"
    rb"(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+"
    rb"(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|[^\t\n\f\r >\"'][^\t\n\f\r >]*+)?+)?+"
)
_TO_END_OF_TAG = rb"(?:[\t\n\f\r /]++|" + _ATTRIBUTE + rb")*+(?:>|\Z)"
# In these, everything up to the end tag is text and no mark-up.
_TEXT_ONLY = rb"script|style|textarea|title|xmp|iframe|noembed|noframes|plaintext"
_TOKEN = re.compile(
    rb"<(?:"
    # 1 and 2: a wanted tag with a bearable number of attributes; with more it is passed over like any other.
    rb"(a|base|meta)(?=[\t\n\f\r />])((?:[\t\n\f\r /]*+"
    + _ATTRIBUTE
    + rb"){0,%d}+[\t\n\f\r /]*+)>" % _MOST_ATTRIBUTES
    # A comment, closed or not.
    + rb"|!--(?:-?>|[^-]*+(?:-(?!-!?>)[^-]*+)*+(?:--!?>|\Z))"
    # 3: an element of text only, with its text.
    rb"|("
    + _TEXT_ONLY
    + rb")(?=[\t\n\f\r />])"
    + _TO_END_OF_TAG
    + rb"[^<]*+(?:<(?!/\3[\t\n\f\r />])[^<]*+)*+"
    # Any other tag; a doctype, a processing instruction and what else the standard calls a bogus comment.
    rb"|/?[a-z][^\t\n\f\r />]*+" + _TO_END_OF_TAG + rb"|[!?/][^>]*+(?:>|\Z)"
    rb")",
    re.IGNORECASE,
)


def start_tags(text: bytes) -> Iterator[tuple[str, Attributes]]:
    """The ``a``, ``base`` and ``meta`` tags of an HTML text in UTF-8, in order: name and attributes, unescaped.

    A tag with more than 32 attributes or 64 KiB is left out. An attribute without a value has the empty string.
    """
    wanted = [
        (name.lower(), inside)
        for name, inside, _ in _TOKEN.findall(text)
        if name and len(inside) <= _LONGEST_TAG
    ]
    for start in range(0, len(wanted), _AT_A_TIME):
        yield from _parsed(wanted[start : start + _AT_A_TIME])


def _parsed(tags: list[tuple[bytes, bytes]]) -> Iterator[tuple[str, Attributes]]:
    """The attributes of tags, read by the parser from a flat text of links: a link cannot nest in a link."""
    tree = LexborHTMLParser(b"".join([b"<a" + inside + b"></a>" for _, inside in tags]))
    for (name, _), node in zip(tags, tree.css("a"), strict=True):
        yield name.decode("ascii"), {key: value or "" for key, value in node.attributes.items()}
