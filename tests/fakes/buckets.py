"""Buckets of a real S3 server on 127.0.0.1, which is made once and kept in .clients/ (requirements/buckets.txt).

with Buckets(folder) as buckets:
    buckets.make("wheels")
    buckets.settings, buckets.toml    # how they are reached
"""

import atexit
import datetime
import hashlib
import hmac
import subprocess
import urllib.error
import urllib.request
from functools import cache
from http.client import HTTPResponse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from fakes.kept import environment_of
from fakes.server import environment
from wheelkeep.core.settings import S3Settings, Secret

KEY, SECRET, REGION = "keep:keeper", "kept", "us-east-1"
_SERVER = Path(__file__).with_name("s3_server.py")


@cache
def shared() -> "Buckets":
    """The server of this process, for tests that leave it as it is and use a prefix of their own."""
    folder = TemporaryDirectory()
    buckets = Buckets(Path(folder.name)).start()
    atexit.register(folder.cleanup)
    atexit.register(buckets.stop)
    return buckets


class Buckets:
    """The server; ``stop`` and ``start`` make an outage of it, on the same port and with the same buckets."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> S3Settings:
        return S3Settings(
            endpoint=self.endpoint, region=REGION, access_key=Secret(KEY), secret_key=Secret(SECRET)
        )

    @property
    def toml(self) -> str:
        """The table of a configuration."""
        told = {"endpoint": self.endpoint, "region": REGION, "access_key": KEY, "secret_key": SECRET}
        return "[s3]\n" + "".join(f'{key} = "{value}"\n' for key, value in told.items())

    def start(self) -> Self:
        python = environment_of("buckets") / "bin" / "python"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [python, "-P", "-W", "ignore", _SERVER, self._folder, str(self.port)],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def make(self, bucket: str) -> str:
        """Makes a bucket, unless it is there; gives its address."""
        assert self.send("PUT", f"/{bucket}") in (200, 409)
        return f"s3://{bucket}"

    def publish(self, bucket: str, index: str | None = None) -> str:
        """Lets anybody read a bucket; gives the address of what is in it, without a slash at the end. What came in
        parts lies in a second one.

        ``index``: it is a website, with a page of that name in each folder.
        """
        token = {"X-Storage-User": KEY, "X-Storage-Pass": SECRET}
        with _open(urllib.request.Request(f"{self.endpoint}/auth/v1.0", headers=token)) as reply:
            place = f"{reply.headers['X-Storage-Url']}/{bucket}"
            mine = {"X-Auth-Token": reply.headers["X-Auth-Token"], "X-Container-Read": ".r:*"}
            if index is not None:
                mine["X-Container-Meta-Web-Index"] = index
        for one in (place, f"{place}+segments"):
            with _open(urllib.request.Request(one, headers=mine, method="PUT")):
                pass
        return place

    def send(self, method: str, path: str, body: bytes = b"") -> int:
        """One request as any client may make it, signed (Signature Version 4); gives the status."""
        host, now = f"127.0.0.1:{self.port}", datetime.datetime.now(datetime.UTC)
        moment, day = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}"
        scope, digest = f"{day}/{REGION}/s3/aws4_request", hashlib.sha256(body).hexdigest()
        names = "host;x-amz-content-sha256;x-amz-date"
        heads = f"host:{host}\nx-amz-content-sha256:{digest}\nx-amz-date:{moment}\n"
        asked = f"{method}\n{path}\n\n{heads}\n{names}\n{digest}"
        key = f"AWS4{SECRET}".encode()
        for step in scope.split("/"):
            key = hmac.digest(key, step.encode(), "sha256")
        whole = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(asked.encode()).hexdigest()}"
        signature = hmac.digest(key, whole.encode(), "sha256").hex()
        headers = {
            "x-amz-date": moment,
            "x-amz-content-sha256": digest,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders={names}, Signature={signature}",
        }
        request = urllib.request.Request(
            self.endpoint + path, data=body or None, method=method, headers=headers
        )
        try:
            with _open(request) as reply:
                return int(reply.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _open(request: urllib.request.Request) -> HTTPResponse:
    """Straight there, by no proxy."""
    opened = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request)
    assert isinstance(opened, HTTPResponse)
    return opened
