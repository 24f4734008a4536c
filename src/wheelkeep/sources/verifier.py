"""Verifying attestations (PEP 740) by Sigstore's own libraries, against trust roots on disk: nobody is asked.

They weigh some 50 MB and half a second, so they are imported when the first attestation comes, in a thread.
"""

import asyncio
import hashlib
import importlib.util
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import Struct

from wheelkeep.core.attestations import contradiction, misfit, read_provenance
from wheelkeep.core.attested import Fact, Publisher
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.logs import get_logger

log = get_logger(__name__)


class Unverifiable(WheelkeepError):
    """Nothing can be verified: the libraries are not there, or a trust root cannot be used."""


class Signed(Struct, frozen=True):
    """What verifying one attestation came to."""

    publisher: Publisher | None
    """Who signed it; None: it is not verified."""
    false: str = ""
    """Why it is false, as the end of a sentence; empty where only its authority is not known."""


class Verifier:
    """Holds attestations against trust roots."""

    def __init__(self, roots: Sequence[Path | None]) -> None:
        """``roots``: each a Sigstore ``trusted_root.json``, or None for the public one, which the library has."""
        self._roots = tuple(roots)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="verify")

    def close(self) -> None:
        self._thread.shutdown(wait=False)

    @cached_property
    def digest(self) -> str:
        """Stands for the trust roots: what was verified by others has to be verified again. Raises Unverifiable."""
        marks = []
        for root in self._roots:
            for path in (root,) if root is not None else _bundled():
                try:
                    marks.append(path.read_bytes())
                except OSError as error:
                    raise Unverifiable(f"the trust root {path} cannot be read: {error.strerror}") from None
        return hashlib.sha256(b"\0".join(marks)).hexdigest()

    async def judge(self, provenance: bytes, filename: str, sha256: str) -> Fact:
        """What a provenance document says of a file. Raises Unverifiable."""
        try:
            told = read_provenance(provenance)
        except ValueError as error:
            return Fact(state="false", why=str(error))
        signed = [
            _held(claim, one)
            for (claim, _), one in zip(
                told, await self.each([one for _, one in told], filename, sha256), strict=True
            )
        ]
        publishers = tuple(dict.fromkeys(one.publisher for one in signed if one.publisher is not None))
        if publishers:
            return Fact(state="verified", publishers=publishers)
        why = next((one.false for one in signed if one.false), "")
        return Fact(state="false" if why else "foreign", why=why)

    async def each(self, attestations: Sequence[dict[str, Any]], filename: str, sha256: str) -> list[Signed]:
        """What each attestation is worth for a file. Raises Unverifiable."""
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._each, attestations, filename, sha256
        )

    def _each(self, attestations: Sequence[dict[str, Any]], filename: str, sha256: str) -> list[Signed]:
        library = self._library
        return [
            Signed(None, f"it {says}")
            if (says := misfit(one, filename, sha256)) is not None
            else library.check(json.dumps(one))
            for one in attestations
        ]

    @cached_property
    def _library(self) -> Any:
        try:
            from wheelkeep.sources.signatures import Library  # noqa: PLC0415 - see the top

            return Library(self._roots)
        except ImportError as error:
            raise Unverifiable(
                f"the library that verifies attestations is not installed ({error.name})"
            ) from None
        except (OSError, ValueError) as error:
            log.error("trust_root_unusable", why=str(error))
            raise Unverifiable("a trust root cannot be used") from None


def _held(claim: dict[str, Any], signed: Signed) -> Signed:
    if signed.publisher is None or (says := contradiction(claim, signed.publisher)) is None:
        return signed
    return Signed(None, says)


def _bundled() -> list[Path]:
    """The trust roots that the library has, found without importing it."""
    found = importlib.util.find_spec("sigstore")
    if found is None or not found.submodule_search_locations:
        raise Unverifiable("the library that verifies attestations is not installed (sigstore)")
    return sorted(Path(found.submodule_search_locations[0]).glob("_store/*/trusted_root.json"))
