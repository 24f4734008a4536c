"""How structs lie in the database: msgpack, and zstd where they are large."""

import msgspec
import zstandard

from wheelkeep.core.model import File, Page

_page_encoder = msgspec.msgpack.Encoder()
_page_decoder = msgspec.msgpack.Decoder(Page)
_file_decoder = msgspec.msgpack.Decoder(File)
_LARGEST = 512 * 1024 * 1024


def pack_page(page: Page) -> bytes:
    return squeeze(_page_encoder.encode(page))


def unpack_page(body: bytes) -> Page:
    return _page_decoder.decode(unsqueeze(body))


def pack_file(file: File) -> bytes:
    return _page_encoder.encode(file)


def unpack_file(body: bytes) -> File:
    return _file_decoder.decode(body)


def squeeze(body: bytes) -> bytes:
    # A compressor is not safe for two threads at once, and cheap to make.
    return zstandard.ZstdCompressor(level=1).compress(body)


def unsqueeze(body: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(body, max_output_size=_LARGEST)
