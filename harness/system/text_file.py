"""Text files: UTF-8, of bounded size."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.system.compression import compression_of, decompressed_pieces, read_compressed
from harness.system.git_lfs import POINTER, is_pointer, pointer_error
from harness.system.limits import DATA, read_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.system.limits import Limit

_BYTES_AT_ONCE = 2**20


def read_text(path: Path, limit: Limit = DATA) -> str:
    r"""Return the text of a UTF-8 file, with or without a byte-order mark; line ends become `\n`.

    A file whose ending is gz, bz2, xz or zst is decompressed.
    Raises HarnessError that names the first byte that is not UTF-8, or the limit that is exceeded, for a
    compressed file that is damaged, and for a pointer of Git LFS.
    """
    try:
        if compression_of(path) and is_pointer(path):
            raise pointer_error(path, "the file itself")
        content = read_compressed(path, limit) if compression_of(path) else read_file(path, limit)
    except OSError as error:
        raise HarnessError(f"cannot read {path}: {error.strerror}") from error
    if content.startswith(POINTER):
        raise pointer_error(path, "the file itself")
    return _decoded(content, path, encoding="utf-8-sig")


def read_text_pieces(path: Path, limit: Limit = DATA) -> Iterator[str]:
    r"""Yield the text that `read_text` returns in pieces of whole lines, each with its `\n`.

    The last line may lack one.

    Raises HarnessError as `read_text` does, where it comes to what is wrong.
    """
    encoding, line = "utf-8-sig", 1
    for piece in _whole_lines(_pieces(path, limit)):
        yield _decoded(piece, path, encoding=encoding, first=line)
        encoding, line = "utf-8", line + piece.count(b"\n")


def _whole_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in pieces that are cut at the ends of lines."""
    rest = bytearray()
    for piece in pieces:
        end = piece.rfind(b"\n") + 1
        if end:
            yield bytes(rest + piece[:end])
            rest.clear()
        rest += piece[end:]
    if rest:
        yield bytes(rest)


def _pieces(path: Path, limit: Limit) -> Iterator[bytes]:
    """Yield the bytes of a file, decompressed, piece by piece; raises HarnessError as `read_text` does."""
    try:
        if is_pointer(path):
            raise pointer_error(path, "the file itself")
        if compression_of(path):
            yield from decompressed_pieces(path, limit)
            return
        with path.open("rb") as file:
            limit.check(os.fstat(file.fileno()).st_size, path)
            while piece := file.read(_BYTES_AT_ONCE):
                yield piece
    except OSError as error:
        raise HarnessError(f"cannot read {path}: {error.strerror}") from error


def _decoded(content: bytes, path: Path, *, encoding: str, first: int = 1) -> str:
    r"""Return bytes as text, with `\n` for line ends; first: the number of the first line."""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + first
        raise HarnessError(
            f"{path} is not UTF-8: byte 0x{content[error.start]:02x} in line {line}",
            hint=f"if it is Latin-1: iconv -f latin1 -t utf-8 {path.name} > new-{path.name}",
        ) from error
    return text.replace("\r\n", "\n")
