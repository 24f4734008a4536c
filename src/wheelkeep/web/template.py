"""A page for people, as a template that autoescapes. Read when it is first drawn: most workers never draw one, and
jinja2 would cost each of them a tenth of its start, and megabytes.
"""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2


class Template:
    """One file of the folder ``templates`` beside this module."""

    def __init__(self, name: str, *, tight: bool = False, **filters: Callable[..., str]) -> None:
        """``tight``: lines that hold nothing but an instruction leave no empty line behind."""
        self._name = name
        self._tight = tight
        self._filters = filters

    def render(self, **values: object) -> str:
        """The page with these values; a value that the template names and nobody gave is an error."""
        return self._read.render(**values)

    @cached_property
    def _read(self) -> "jinja2.Template":
        from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - see above

        templates = Environment(
            loader=PackageLoader("wheelkeep.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=self._tight,
            lstrip_blocks=self._tight,
        )
        templates.filters.update(self._filters)
        return templates.get_template(self._name)
