"""Descriptions of projects as HTML that cannot harm a reader, made in a process of its own.

Whoever publishes writes the description, and the readers of markup languages are large: a description that makes one
of them run wild ends that process and nothing else, and the server never holds their code in memory.
"""

import asyncio
import contextlib
import json
import sys
from collections import OrderedDict
from email.message import Message

LONGEST = 300_000
"""Letters of a description that are shown."""
_LARGEST = 1_000_000
"""Bytes of HTML that are taken: short texts can make a thousand times their size, and the last ones are kept."""
_SECONDS = 10
_MEMORY = 1024 * 1024 * 1024
_KEPT = 64


class Readmes:
    """Renders by the text's own type; the last few are kept."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[str, str], str | None] = OrderedDict()
        self._room = asyncio.Semaphore(2)

    async def html(self, text: str, content_type: str | None) -> str | None:
        """Clean HTML (nh3's allow list: no script, no style, no handlers); None: show it as the text that it is.

        ``content_type``: of the core metadata, such as ``text/markdown; variant=GFM``; none means reStructuredText.
        """
        kind = _kind(content_type)
        if kind is None or len(text) > LONGEST:
            return None
        key = (text, kind)
        if key not in self._made:
            async with self._room:
                # Whoever waited here may have waited for the very same text.
                if key not in self._made:
                    self._made[key] = await _rendered(text, kind)
            while len(self._made) > _KEPT:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        return self._made[key]


def _kind(content_type: str | None) -> str | None:
    header = Message()
    header["content-type"] = (content_type or "text/x-rst").replace("\n", " ").replace("\r", " ")
    match header.get_content_type():
        case "text/markdown":
            return "CommonMark" if str(header.get_param("variant", "")).lower() == "commonmark" else "GFM"
        case "text/x-rst":
            return "rst"
    return None


async def _rendered(text: str, kind: str) -> str | None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "wheelkeep.web.readme",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_SECONDS):
            out, _ = await process.communicate(json.dumps({"text": text, "kind": kind}).encode())
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return out.decode() or None if process.returncode == 0 else None


def _main() -> None:
    """One description from standard input to standard output, within limits; nothing where it cannot be rendered."""
    import resource  # noqa: PLC0415 - the server needs none of what this process needs

    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    with contextlib.suppress(ValueError, OSError):  # macOS knows no such limit
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    given = json.load(sys.stdin)
    from readme_renderer import markdown, rst  # noqa: PLC0415

    if given["kind"] == "rst":
        html = rst.render(given["text"])
    else:
        html = markdown.render(given["text"], variant=given["kind"])
    body = (html or "").encode()
    sys.stdout.buffer.write(body if len(body) <= _LARGEST else b"")


if __name__ == "__main__":
    _main()
