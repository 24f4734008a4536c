"""The page at ``/``: what this is, what to type, whether the sources answer. Who may see which index, app says."""

from collections.abc import Sequence
from importlib import resources

from wheelkeep import __version__
from wheelkeep.core.clients import client_config
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.sources.directory import Directory
from wheelkeep.sources.remote import Remote
from wheelkeep.sources.source import Source
from wheelkeep.web import urls
from wheelkeep.web.respond import SAFE, SAFE_HTML, Response
from wheelkeep.web.template import Template

_SHOWN = ("pip", "uv", "poetry", "pdm")


class Home:
    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._template = Template("home.html")
        self._style = resources.files("wheelkeep.web").joinpath("static/wheelkeep.css").read_bytes()

    async def page(self, shown: Sequence[Index], *, depth: int) -> Response:
        """The page about some indexes; ``depth``: how many parts its address has."""
        html = self._template.render(
            version=__version__,
            static="../" * depth + "static/",
            up="../" * depth,
            indexes=[await self._index(index) for index in shown],
        )
        headers = (
            (b"content-type", b"text/html; charset=utf-8"),
            (b"cache-control", b"no-store"),
            *SAFE_HTML,
        )
        return Response(200, headers, html.encode())

    def style(self) -> Response:
        headers = ((b"content-type", b"text/css; charset=utf-8"), (b"cache-control", b"max-age=3600"), *SAFE)
        return Response(200, headers, self._style)

    async def _index(self, index: Index) -> dict[str, object]:
        base = urls.base(self._keep.settings)
        simple, upload = f"{base}/{index.name}/simple/", f"{base}/{index.name}/legacy/"
        return {
            "name": index.name,
            "closed": index.closed,
            "trouble": index.policy.trouble is not None,
            "sources": [await _state(place.source) for group in index.groups for place in group],
            "clients": [
                {
                    "title": name,
                    "text": client_config(name, simple=simple, upload=upload, closed=index.closed),
                }
                for name in _SHOWN
            ],
        }


async def _state(source: Source) -> dict[str, str]:
    """One source's row: its kind, and whether it answers, in a word."""
    if isinstance(source, Remote):
        health = source.health
        if health.reason is not None:
            return _row(source, "remote", "bad", "does not answer")
        if health.answered is None:
            return _row(source, "remote", "idle", "not asked yet")
        return _row(source, "remote", "good", f"answered {health.answered:%Y-%m-%d %H:%M} UTC")
    if isinstance(source, Directory):
        ready = await source.ready()
        trouble = source.trouble
        return _row(
            source,
            "directory",
            "bad" if trouble and ready else "good" if ready else "idle",
            "cannot be read" if trouble and ready else "read" if ready else "being read",
        )
    return _row(source, "hosted", "good", "here")


def _row(source: Source, kind: str, mark: str, state: str) -> dict[str, str]:
    return {"name": source.name, "kind": kind, "mark": mark, "state": state}
