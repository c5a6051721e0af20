"""Text files: UTF-8, of bounded size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.system.compression import compression_of, read_compressed
from harness.system.git_lfs import POINTER, is_pointer, pointer_error
from harness.system.limits import DATA, read_file

if TYPE_CHECKING:
    from pathlib import Path

    from harness.system.limits import Limit


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
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise HarnessError(
            f"{path} is not UTF-8: byte 0x{content[error.start]:02x} in line {line}",
            hint=f"if it is Latin-1: iconv -f latin1 -t utf-8 {path.name} > new-{path.name}",
        ) from error
    return text.replace("\r\n", "\n")
