"""Addresses of buckets."""

import pytest

from wheelkeep.core.buckets import Bucket, is_bucket, read_bucket


@pytest.mark.parametrize(
    ("text", "bucket"),
    [
        ("s3://acme", Bucket("acme")),
        ("s3://acme/", Bucket("acme")),
        ("s3://acme/wheels/linux/", Bucket("acme", "wheels/linux")),
        ("s3://acme.example-1/a", Bucket("acme.example-1", "a")),
    ],
)
def test_an_address_is_read(text: str, bucket: Bucket) -> None:
    assert is_bucket(text)
    assert read_bucket(text) == bucket
    assert read_bucket(str(bucket)) == bucket


@pytest.mark.parametrize(
    "text",
    ["s3://", "s3://A", "s3://a", "s3:/acme", "S3://acme", "s3://acme//a", "s3://acme/../b", "s3://acme/a b"],
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        read_bucket(text)


def test_a_folder_is_no_bucket() -> None:
    assert not is_bucket("/srv/wheels")
    assert is_bucket("S3://acme")
