"""The few start tags of an HTML text that a page of the Simple API is made of, found without building a tree.

A tree is where an HTML parser can be made to work for minutes over half a megabyte: tags nested a hundred
thousand deep, thousands of attributes in one tag. So the text is first cut into tokens by one expression, in one
pass, by the rules of the HTML standard's tokenizer (section 13.2.5). The parser then reads nothing but the tags
that are wanted, one after the other, each bounded: it decides what an attribute's value is, and nests nothing.
"""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser

Attributes = dict[str, str]

_MOST_OTHERS = 200
_LONGEST_TAG = 64 * 1024
_AT_A_TIME = 500
_READ = frozenset(
    {
        "href",
        "data-requires-python",
        "data-yanked",
        "data-core-metadata",
        "data-dist-info-metadata",
        "data-provenance",
        "name",
        "content",
    }
)

_ATTRIBUTE = (
    rb"[^\t\n\f\r />][^\t\n\f\r />=]*+"
    rb"(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+"
    rb"(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|[^\t\n\f\r >\"'][^\t\n\f\r >]*+)?+)?+"
)
_REST_OF_TAG = rb"(?:[\t\n\f\r /]++|" + _ATTRIBUTE + rb")*+(?:>|\Z)"
_END_OF_NAME = rb"(?=[\t\n\f\r />])"
# 1 and 2: a wanted tag and its attributes, if they are not too many; else it is passed over as any other tag.
_WANTED = (
    rb"(a|base|meta)" + _END_OF_NAME + rb"((?:[\t\n\f\r /]*+" + _ATTRIBUTE + rb"){0,32}+[\t\n\f\r /]*+)>"
)
_COMMENT = rb"!--(?:-?>|[^-]*+(?:-(?!-!?>)[^-]*+)*+(?:--!?>|\Z))"
# 3: in these, everything up to the end tag is text and no mark-up.
_TEXT_ONLY = (
    rb"(script|style|textarea|title|xmp|iframe|noembed|noframes|plaintext)"
    + _END_OF_NAME
    + _REST_OF_TAG
    + rb"[^<]*+(?:<(?!/\3[\t\n\f\r />])[^<]*+)*+"
)
_ANY_TAG = rb"/?[a-z][^\t\n\f\r />]*+" + _REST_OF_TAG
# A doctype, a processing instruction, and what else the standard calls a bogus comment.
_BOGUS = rb"[!?/][^>]*+(?:>|\Z)"
_TOKEN = re.compile(
    rb"<(?:" + rb"|".join([_WANTED, _COMMENT, _TEXT_ONLY, _ANY_TAG, _BOGUS]) + rb")", re.IGNORECASE
)


def start_tags(text: bytes) -> Iterator[tuple[str, Attributes]]:
    """The ``base`` and ``meta`` tags of an HTML text in UTF-8, then its ``a`` tags: name, and attributes unescaped.

    Each in their order. Left out are tags with more than 32 attributes or 64 KiB, attributes that no page of the
    Simple API has, and what comes after the first 200 of ``base`` and ``meta``. An attribute without a value has
    the empty string.
    """
    found = [
        (name, inside) for name, inside, _ in _TOKEN.findall(text) if name and len(inside) <= _LONGEST_TAG
    ]
    links = [tag for tag in found if tag[0] in b"aA"]
    others = [tag for tag in found if tag[0] not in b"aA"][:_MOST_OTHERS]
    for tags in (others, links):
        for start in range(0, len(tags), _AT_A_TIME):
            yield from _parsed(tags[start : start + _AT_A_TIME])


def _parsed(tags: list[tuple[bytes, bytes]]) -> Iterator[tuple[str, Attributes]]:
    """The attributes of tags, read by the parser from a flat text of links: a link cannot nest in a link."""
    tree = LexborHTMLParser(b"".join([b"<a" + inside + b"></a>" for _, inside in tags]))
    for (name, _), node in zip(tags, tree.css("a"), strict=True):
        told = {key: value or "" for key, value in node.attributes.items() if key in _READ}
        yield name.decode("ascii").lower(), told
