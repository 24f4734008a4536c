"""Licences as metadata tells them (PEP 639), and whether a list of SPDX identifiers allows them."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from email.parser import BytesHeaderParser
from typing import Any

from msgspec import Struct
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from wheelkeep.core.names import SourceName

_PREFIX = "License :: "
_LONGEST = 2_000
_SHOWN = 200
_MOST_CLASSIFIERS = 50
# Classifiers are coarser than SPDX: one may stand for several licences, and is allowed where one of them is.
_CLASSIFIERS: dict[str, tuple[str, ...]] = {
    "Academic Free License (AFL)": ("AFL-3.0", "AFL-2.1"),
    "Apache Software License": ("Apache-2.0",),
    "Artistic License": ("Artistic-2.0", "Artistic-1.0"),
    "BSD License": ("BSD-3-Clause", "BSD-2-Clause"),
    "Blue Oak Model License (BlueOak-1.0.0)": ("BlueOak-1.0.0",),
    "Boost Software License 1.0 (BSL-1.0)": ("BSL-1.0",),
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": ("CC0-1.0",),
    "Eclipse Public License 1.0 (EPL-1.0)": ("EPL-1.0",),
    "Eclipse Public License 2.0 (EPL-2.0)": ("EPL-2.0",),
    "European Union Public Licence 1.2 (EUPL 1.2)": ("EUPL-1.2",),
    "GNU Affero General Public License v3": ("AGPL-3.0-only",),
    "GNU Affero General Public License v3 or later (AGPLv3+)": ("AGPL-3.0-or-later",),
    "GNU General Public License (GPL)": (
        "GPL-2.0-only",
        "GPL-2.0-or-later",
        "GPL-3.0-only",
        "GPL-3.0-or-later",
    ),
    "GNU General Public License v2 (GPLv2)": ("GPL-2.0-only",),
    "GNU General Public License v2 or later (GPLv2+)": ("GPL-2.0-or-later",),
    "GNU General Public License v3 (GPLv3)": ("GPL-3.0-only",),
    "GNU General Public License v3 or later (GPLv3+)": ("GPL-3.0-or-later",),
    "GNU Lesser General Public License v2 (LGPLv2)": ("LGPL-2.0-only",),
    "GNU Lesser General Public License v2 or later (LGPLv2+)": ("LGPL-2.0-or-later",),
    "GNU Lesser General Public License v3 (LGPLv3)": ("LGPL-3.0-only",),
    "GNU Lesser General Public License v3 or later (LGPLv3+)": ("LGPL-3.0-or-later",),
    "ISC License (ISCL)": ("ISC",),
    "MIT License": ("MIT",),
    "MIT No Attribution License (MIT-0)": ("MIT-0",),
    "Mozilla Public License 1.1 (MPL 1.1)": ("MPL-1.1",),
    "Mozilla Public License 2.0 (MPL 2.0)": ("MPL-2.0",),
    "Other/Proprietary License": ("LicenseRef-Proprietary",),
    "Python Software Foundation License": ("PSF-2.0", "Python-2.0"),
    "The Unlicense (Unlicense)": ("Unlicense",),
    "Universal Permissive License (UPL)": ("UPL-1.0",),
    "University of Illinois/NCSA Open Source License": ("NCSA",),
    "W3C License": ("W3C",),
    "Zero-Clause BSD (0BSD)": ("0BSD",),
    "Zope Public License": ("ZPL-2.1", "ZPL-2.0"),
    "zlib/libpng License": ("Zlib",),
}

_NAMELESS = ("OSI Approved", "DFSG approved")
"""Classifiers that praise a licence and name none."""


class Told(Struct, frozen=True, kw_only=True):
    """What a release's metadata tells of its licence; empty: nothing."""

    expression: str = ""
    """As it was written; not always SPDX."""
    classifiers: tuple[str, ...] = ()
    """Without their first two words."""

    @property
    def words(self) -> str:
        shown = self.expression or ", ".join(self.classifiers[:4])
        return "".join(letter for letter in shown if letter.isprintable())[:120]


class Licences(Struct, frozen=True, kw_only=True):
    """What is known of the licences of a project's releases, by source and version."""

    told: Mapping[tuple[SourceName, str], Told] = {}
    troubles: Mapping[tuple[SourceName, str], str] = {}
    """Why nothing could be learnt."""
    again: datetime | None = None
    """When more may be known."""


def read_metadata(body: bytes) -> Told:
    """What core metadata tells. Where it has several expressions, which it must not, all of them are asked for."""
    headers = BytesHeaderParser().parsebytes(body)
    stated = list(dict.fromkeys(str(one).strip() for one in headers.get_all("License-Expression", [])))
    expression = stated[0] if len(stated) == 1 else " AND ".join(f"({one})" for one in stated)
    return _told(expression, map(str, headers.get_all("Classifier", [])))


def read_info(info: Mapping[str, Any]) -> Told:
    """What the ``info`` of the legacy JSON tells."""
    expression, classifiers = info.get("license_expression"), info.get("classifiers")
    return _told(
        expression if isinstance(expression, str) else "",
        [one for one in classifiers if isinstance(one, str)] if isinstance(classifiers, list) else [],
    )


def _told(expression: str, classifiers: Iterable[str]) -> Told:
    licences = [one.removeprefix(_PREFIX) for one in classifiers if one.startswith(_PREFIX)]
    named = [one.removeprefix("OSI Approved :: ") for one in licences if one not in _NAMELESS]
    stated = expression.strip()
    if len(stated) > _LONGEST:  # cut short it could read as another, more lenient one; so it reads as none
        stated = f"{' '.join(stated[:_LONGEST].split())[:_SHOWN]} …"
    # Those that are known first: what is cut off cannot turn a no into a don't know.
    known_first = sorted(dict.fromkeys(named), key=lambda one: one not in _CLASSIFIERS)
    return Told(expression=stated, classifiers=tuple(known_first[:_MOST_CLASSIFIERS]))


def allows(told: Told, allowed: Collection[str]) -> bool | None:
    """Whether a licence is allowed; None: nobody can tell which it is.

    An expression alone counts where there is one: of an OR one side is enough, an AND needs both. An exception
    (WITH) only permits more, so its licence is enough. Of classifiers each must be allowed.
    """
    if told.expression:
        try:
            return _Expression(canonicalize_license_expression(told.expression), allowed).value()
        except (InvalidLicenseExpression, RecursionError, MemoryError):
            return None
    if not told.classifiers:
        return None
    known = [_CLASSIFIERS.get(one) for one in told.classifiers]
    if any(one is not None and not any(name in allowed for name in one) for one in known):
        return False
    return None if None in known else True


class _Expression:
    """A canonical SPDX expression, read from left to right; AND binds closer than OR (SPDX annex D)."""

    def __init__(self, text: str, allowed: Collection[str]) -> None:
        self._words = text.replace("(", " ( ").replace(")", " ) ").split()
        self._allowed = allowed
        self._at = 0

    def value(self) -> bool:
        found = self._both()
        while self._is("OR"):
            found = self._both() or found
        return found

    def _both(self) -> bool:
        found = self._one()
        while self._is("AND"):
            found = self._one() and found
        return found

    def _one(self) -> bool:
        if self._is("("):
            found = self.value()
            self._is(")")
            return found
        licence = self._words[self._at]
        self._at += 1
        if not self._is("WITH"):
            return licence in self._allowed
        exception = self._words[self._at]
        self._at += 1
        return licence in self._allowed or f"{licence} WITH {exception}" in self._allowed

    def _is(self, word: str) -> bool:
        if self._at < len(self._words) and self._words[self._at] == word:
            self._at += 1
            return True
        return False
