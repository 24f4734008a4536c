"""From the address of a place to the place."""

from pathlib import Path

from wheelkeep.core.buckets import Bucket
from wheelkeep.core.settings import S3Settings
from wheelkeep.store.folder_shelf import FolderShelf
from wheelkeep.store.shelf import Shelf


def open_shelf(place: Path | Bucket, s3: S3Settings, *, public: bool = False) -> Shelf:
    """The folder or bucket, which nobody has asked anything yet.

    ``public``: others may read what is put into the folder; who may read a bucket is the bucket's own affair.
    """
    if isinstance(place, Path):
        return FolderShelf(place, public=public)
    from wheelkeep.store.s3_shelf import S3Shelf  # noqa: PLC0415 - for those who have a bucket

    return S3Shelf(place, s3)
