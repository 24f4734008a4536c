"""Requirements as others write them (PEP 508): read by packaging, within bounds that it does not have."""

from packaging.requirements import InvalidRequirement, Requirement

_LONGEST = 20_000
"""Characters; the longest markers of the public index have some hundreds."""
_LONGEST_VERSION = 250
_MOST_BRACKETS = 100


def read_requirement(text: str) -> Requirement:
    """Raises InvalidRequirement, also for what is nested too deeply to be read, or has a version of endless digits."""
    if len(text) > _LONGEST:
        raise InvalidRequirement(f"it is longer than {_LONGEST} characters")
    if text.count("(") > _MOST_BRACKETS:
        # Its reader calls itself for each, and so do those of installers.
        raise InvalidRequirement("it is nested too deeply")
    if "\\" in text:
        # PEP 508 has none in its strings; packaging would read ``\\n`` as the end of a line, and write it as one.
        raise InvalidRequirement("it has a backslash")
    requirement = Requirement(text)
    if any(len(one.version) > _LONGEST_VERSION for one in requirement.specifier):
        # Python reads no number of more than 4,300 digits, and says so only when the version is compared.
        raise InvalidRequirement(f"it names a version of more than {_LONGEST_VERSION} characters")
    return requirement
