"""What is measured: each measure runs both sides by turns and gives one or more rows of the table."""

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TypeVar

from corpus import JSON, Origin
from load import Rate, body, download, linked, together, wrk
from servers import Keep, Line, Nginx


@dataclass(frozen=True)
class Size:
    """How much is done: the full run, or the smoke run that only shows that everything works."""

    rounds: int = 5
    seconds: int = 4
    large_page: int = 5_000
    warm_file: int = 50
    cold_file: int = 100
    cold_rounds: int = 5
    clients: int = 16


Value = TypeVar("Value")

FULL = Size()
SMOKE = Size(rounds=1, seconds=1, large_page=500, warm_file=5, cold_file=10, cold_rounds=1)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    keep: str
    other: str
    value: float
    unit: str
    target: str
    met: bool
    runs: dict[str, list[float]] = field(default_factory=dict)


@dataclass
class Site:
    """An origin of the keep: its folder, and the server of it."""

    name: str
    files: Origin
    server: Nginx | Line
    suffix: str = ""


@dataclass
class Bench:
    """What the measures share."""

    nginx: Nginx
    keep: Keep
    near: Site
    """On loopback: as fast as nginx can."""
    line: Site
    """As fast as a line."""
    size: Size

    def small_page(self) -> list[Row]:
        accept = {"Accept": JSON}
        return [self._page("warm page of 10 files, JSON, requests/s", "small", accept, target=0.4)]

    def large_page(self) -> list[Row]:
        accept = {"Accept": JSON, "Accept-Encoding": "gzip"}
        name = f"warm page of {self.size.large_page:,} files, gzip, requests/s"
        return [self._page(name, "large", accept, target=0.5)]

    def warm_file(self) -> list[Row]:
        path = self.near.files.stored("warm", self.size.warm_file)
        url = self._file_url("warm")
        download(url, path.stat().st_size)
        (self.nginx.folder / "static" / path.name).symlink_to(path)
        static = f"{self.nginx.static}/{path.name}"
        name = f"warm file of {self.size.warm_file} MB, MB/s"
        return [self._warm(name, url, static, {}, target=0.9, figure=lambda rate: rate.megabytes)]

    def cold_file(self) -> list[Row]:
        first, near = self._cold(self.near)
        _, line = self._cold(self.line)
        return [first, near, line]

    def crowd(self) -> list[Row]:
        asked, near = self._crowd(self.near)
        _, line = self._crowd(self.line)
        return [asked, near, line]

    def memory(self) -> list[Row]:
        used = self.keep.resident_mb()
        return [Row("resident memory afterwards", "", "", used, "MB", "< 150", used < 150)]

    def _cold(self, site: Site) -> tuple[Row, Row]:
        """One client, a file that the keep never saw, against the same file straight from the origin."""
        first: list[float] = []
        runs: dict[str, list[float]] = {"keep": [], "direct": []}
        for turn in range(self.size.cold_rounds):
            project = f"cold-{site.name}-{turn}"
            path = site.files.stored(project, self.size.cold_file)
            size = path.stat().st_size
            urls = [("keep", self._file_url(project)), ("direct", f"{site.server.url}/files/{path.name}")]
            seen = {side: download(url, size) for side, url in alternate(urls, turn)}
            first.append((seen["keep"].first_byte - seen["direct"].first_byte) * 1000)
            for side, cold in seen.items():
                runs[side].append(cold.total)
            path.unlink()
        ratio = median(k / d for k, d in zip(runs["keep"], runs["direct"], strict=True))
        what = f"cold file of {self.size.cold_file} MB"
        keep, direct = (f"{median(runs[side]):.3f} s" for side in ("keep", "direct"))
        delay = median(first)
        return (
            Row(f"{what}, first byte later by", "", "", delay, "ms", "<= 50", delay <= 50, {"ms": first}),
            Row(
                f"{what}, time against direct{site.suffix}",
                keep,
                direct,
                ratio,
                "",
                "<= 1.30",
                ratio <= 1.3,
                runs,
            ),
        )

    def _crowd(self, site: Site) -> tuple[Row, Row]:
        """Many clients at once for one file that the keep never saw, against one such client."""
        runs: dict[str, list[float]] = {"crowd": [], "one": []}
        asked: list[float] = []
        for turn in range(self.size.cold_rounds):
            for side, clients in alternate([("crowd", self.size.clients), ("one", 1)], turn):
                project = f"{side}-{site.name}-{turn}"
                path = site.files.stored(project, self.size.cold_file)
                url = self._file_url(project)
                runs[side].append(together(url, path.stat().st_size, clients))
                if side == "crowd":
                    asked.append(site.server.times_asked(path.name))
                path.unlink()
        ratio = median(c / o for c, o in zip(runs["crowd"], runs["one"], strict=True))
        many, one = (f"{median(runs[side]):.3f} s" for side in ("crowd", "one"))
        what = f"{self.size.clients} clients on one cold file"
        most = max(asked)
        return (
            Row(f"{what}, requests to the origin", "", "", most, "", "1", most == 1, {"asked": asked}),
            Row(
                f"{what}, time against one{site.suffix}", many, one, ratio, "", "<= 1.50", ratio <= 1.5, runs
            ),
        )

    def _page(self, name: str, project: str, headers: dict[str, str], *, target: float) -> Row:
        """A page of the keep against nginx with the very same bytes."""
        url = f"{self.keep.url}/simple/{project}/"
        static = f"{self.nginx.static}/{project}.json"
        plain, _ = body(url, {"Accept": JSON})
        coded, coding = body(url, headers)
        copy = self.nginx.folder / "static" / f"{project}.json"
        copy.write_bytes(plain)
        if coding == "gzip":
            copy.with_name(f"{copy.name}.gz").write_bytes(coded)
        if body(static, headers) != (coded, coding) or (coding and gzip.decompress(coded) != plain):
            raise SystemExit(f"bench: the page of {project} is not the same from both servers")
        return self._warm(name, url, static, headers, target=target, figure=lambda rate: rate.requests)

    def _warm(
        self,
        name: str,
        url: str,
        static: str,
        headers: dict[str, str],
        *,
        target: float,
        figure: Callable[[Rate], float],
    ) -> Row:
        runs: dict[str, list[float]] = {"keep": [], "nginx": []}
        sides = [("keep", url), ("nginx", static)]
        for _, address in sides:
            wrk(address, 1, headers)
        for turn in range(self.size.rounds):
            for side, address in alternate(sides, turn):
                runs[side].append(figure(wrk(address, self.size.seconds, headers)))
        ratio = median(k / n for k, n in zip(runs["keep"], runs["nginx"], strict=True))
        keep, nginx = (f"{median(runs[side]):,.0f}" for side in ("keep", "nginx"))
        return Row(name, keep, nginx, ratio, "", f">= {target:.2f}", ratio >= target, runs)

    def _file_url(self, project: str) -> str:
        """Where the keep's page says the one file of a project is; this makes the page warm, not the file."""
        page = f"{self.keep.url}/simple/{project}/"
        data, _ = body(page, {"Accept": JSON})
        (file,) = json.loads(data)["files"]
        if file.get("yanked"):
            raise SystemExit(f"bench: the keep blocks {file['filename']}: {file['yanked']}")
        return linked(page, file["url"])


def alternate(sides: Sequence[tuple[str, Value]], turn: int) -> Sequence[tuple[str, Value]]:
    """Each side goes first every other time, so that what one leaves behind weighs on both."""
    return sides if turn % 2 == 0 else sides[::-1]


def projects(size: Size) -> list[str]:
    """The names that the policy must admit."""
    return [
        "small",
        "large",
        "warm",
        *(
            f"{kind}-{site}-{turn}"
            for kind in ("cold", "crowd", "one")
            for site in ("near", "line")
            for turn in range(size.cold_rounds)
        ),
    ]


def prepare(origin: Origin, size: Size) -> None:
    origin.listed("small", 10)
    origin.listed("large", size.large_page)
