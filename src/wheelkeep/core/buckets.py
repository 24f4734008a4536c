"""Addresses of buckets: ``s3://bucket/prefix``."""

import re

from msgspec import Struct

_BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([!-~]*))?", re.ASCII)


class Bucket(Struct, frozen=True):
    """A place in an S3 store; all that lies there has keys that begin with ``prefix`` and a slash."""

    name: str
    prefix: str = ""
    """Without a slash at its ends; empty: the whole bucket."""

    def __str__(self) -> str:
        return f"s3://{self.name}/{self.prefix}" if self.prefix else f"s3://{self.name}"


def is_bucket(text: str) -> bool:
    """Whether somebody meant a bucket, however it is written."""
    return text[:5].lower() == "s3://"


def read_bucket(text: str) -> Bucket:
    """Reads an address; raises ValueError with a sentence that does not repeat it."""
    found = _BUCKET.fullmatch(text)
    if found is None:
        raise ValueError('must be written "s3://bucket/prefix", the bucket in lower case')
    prefix = (found[2] or "").removesuffix("/")
    if any(part in ("", ".", "..") for part in prefix.split("/")) and prefix:
        raise ValueError('must not hold "//", "/./" or "/../" in its prefix')
    return Bucket(found[1], prefix)
