"""Compressed files: read by their ending, within limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.system.limits import check_growth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.system.limits import Limit

_BYTES_AT_ONCE = 2**20


def _open_gzip(path: Path) -> Any:  # noqa: ANN401 - a binary stream
    import gzip

    return gzip.open(path)


def _open_bz2(path: Path) -> Any:  # noqa: ANN401 - a binary stream
    import bz2

    return bz2.open(path)


def _open_xz(path: Path) -> Any:  # noqa: ANN401 - a binary stream
    import lzma

    return lzma.open(path)


def _open_zstandard(path: Path) -> Any:  # noqa: ANN401 - a binary stream
    import pyarrow as pa

    return pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")


_OPENERS: dict[str, Callable[[Path], Any]] = {
    "gz": _open_gzip,
    "bz2": _open_bz2,
    "xz": _open_xz,
    "zst": _open_zstandard,
}
COMPRESSIONS = tuple(_OPENERS)
"""Endings of compressed files that can be read."""


def compression_of(path: Path) -> str | None:
    """Return the compression that a file's ending names, such as `gz`; None if it names none."""
    ending = path.suffix.lower().lstrip(".")
    return ending if ending in _OPENERS else None


def read_compressed(path: Path, limit: Limit) -> bytes:
    """Return the decompressed content of a file whose ending names its compression.

    Raises HarnessError and OSError as `decompressed_pieces` does.
    """
    content = bytearray()
    for piece in decompressed_pieces(path, limit):
        content += piece
    return bytes(content)


def decompressed_pieces(path: Path, limit: Limit) -> Iterator[bytes]:
    """Yield the decompressed content of a file whose ending names its compression, piece by piece.

    Each piece is checked: a few bytes can become many.
    Raises HarnessError if it is over the limit, grows too much, or is not in that format or cut; and OSError
    if the file cannot be opened.
    """
    import lzma
    import zlib

    kind, on_disk, size = path.suffix.lower().lstrip("."), path.stat().st_size, 0
    path.open("rb").close()  # an error of opening is the caller's, one of decompressing is not
    if not on_disk:
        raise _unreadable(path, kind, "it is empty")
    try:
        with _OPENERS[kind](path) as stream:
            while piece := stream.read(_BYTES_AT_ONCE):
                size += len(piece)
                limit.check(size, path)
                check_growth(size, on_disk, path)
                yield piece
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise _unreadable(path, kind, str(error)) from error


def _unreadable(path: Path, kind: str, why: str) -> HarnessError:
    return HarnessError(
        f"{path} is not a readable {kind} file: {why}", hint="it may be cut: download or compress it again"
    )
