"""What a file that was found in a folder claims to be, by its name alone; and which refusals are a matter of age.

An upload comes with a form; here the form is made from the file's name, and then held against the archive like any.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from packaging.version import InvalidVersion

from wheelkeep.core import names
from wheelkeep.core.errors import InvalidName
from wheelkeep.core.names import SDIST_SUFFIXES
from wheelkeep.core.upload_rules import DIGESTS, Claim, read_form

NOTHING: Mapping[str, str] = MappingProxyType({})
_METADATA = "2.1"
"""Nothing depends on what a form says here: the archive's own is what counts."""


def distribution(filename: str) -> bool:
    """Whether a file of this name may be meant as a wheel or an sdist."""
    return filename.endswith((".whl", *SDIST_SUFFIXES))


def claim_of(filename: str, sha256: str, stated: Mapping[str, str] = NOTHING) -> Claim:
    """What the file says of itself, as the form of an upload would; with problems where no upload may be called so.

    ``stated``: digests that somebody vouched for, by hashlib's names; only those of DIGESTS are held against the file.
    """
    owner = names.owner_of(filename)
    if owner is None:
        says = f"{filename[:100]!a} is not the name of a wheel or sdist with a PEP 440 version"
        return Claim(
            project=None,
            version=None,
            kind=None,
            filename=None,
            digests={},
            attestations=None,
            problems=(says,),
        )
    told = names.filename(filename, owner)
    wheel = told.kind == "wheel"
    form = {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": _METADATA,
        "filetype": "bdist_wheel" if wheel else "sdist",
        "pyversion": "py3" if wheel else "source",
        "name": owner,
        "version": told.version,
        "sha256_digest": sha256,
    }
    form |= {field: stated[kind] for field, kind in DIGESTS.items() if kind in stated}
    return read_form({field: (value,) for field, value in form.items()}, filename)


def only_old(filename: str, problems: Sequence[str]) -> str | None:
    """Why a refused file may be good all the same, as a sentence; None: it is not only its age.

    What is refused stays refused: this is for people who have many old files, and have to choose what to do.
    """
    if names.owner_of(filename) is None:
        return "its name is spelt as it once was; build it again" if _once_spelt(filename) else None
    if not filename.endswith((".whl", ".tar.gz")):
        return "sdists once had other forms than .tar.gz; a source of the kind directory serves it as it is"
    if problems and all(" RECORD " in f" {problem} " for problem in problems):
        return "old tools wrote no perfect RECORD; a source of the kind directory serves it as it is"
    return None


def _once_spelt(filename: str) -> bool:
    """A wheel whose name would be good, were not every dash in its version an underscore (as setuptools had it)."""
    parts = filename.removesuffix(".whl").split("-")
    if not filename.endswith(".whl") or len(parts) not in (5, 6):
        return False
    try:
        version = names.version(parts[1].replace("_", "-"))
        names.filename("-".join([parts[0], str(version), *parts[2:]]) + ".whl", names.project(parts[0]))
    except (InvalidVersion, InvalidName):
        return False
    return True
