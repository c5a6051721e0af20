"""Detect pickles by content, not by extension."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickletools
import re
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_HEAD = 2**16
"""Maximum bytes that are read of a file, or of a member of an archive."""
_MEMBERS = 10_000
"""Maximum members of a zip that are read; one with more does not hold weights."""
_PROTOCOL_MARK = re.compile(rb"\x80[\x02-\x05]")
"""First bytes of a pickle of protocol 2 to 5."""
_IMPORT_OPCODES = {"GLOBAL", "INST", "STACK_GLOBAL"}
_ARRAY = b"\x93NUMPY"
_DECOMPRESSORS: tuple[tuple[bytes, Callable[[Any], Any]], ...] = (
    (b"\x1f\x8b", lambda file: gzip.GzipFile(fileobj=file)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ", lzma.LZMAFile),
    (b"]\x00\x00", lzma.LZMAFile),
    (b"x", lambda file: io.BytesIO(zlib.decompressobj().decompress(file.read(_HEAD), _HEAD))),
)
"""First bytes of compressed files, as joblib writes them, and what opens them."""


def pickle_kind(path: Path) -> str | None:
    """Return the kind of pickle in a file: bare, of torch, in an archive, compressed; None if it is not one.

    A pickle of the oldest protocols is text: it counts as one where it can be read to its end and imports
    something. Raises OSError.
    """
    with path.open("rb") as file:
        kind = _kind(file.read(_HEAD)) or _compressed(file)
        return kind or (_in_zip(file) if zipfile.is_zipfile(file) else None)


def _kind(head: bytes) -> str | None:
    """Return the kind of pickle that begins with these bytes."""
    if _PROTOCOL_MARK.match(head):
        return "a pickle"
    if head[257:262] == b"ustar":
        return "a tar, as torch once wrote pickles"
    if head.startswith(_ARRAY):
        # Its header is a literal of Python, {'descr': '|O', …}, and objects are pickled after it.
        header = head[: 12 + int.from_bytes(head[8:10], "little")]
        return "a numpy array of pickled objects" if b"|O" in header or b"'O'" in header else None
    return "a pickle of an old protocol" if _is_text(head) else None


def _is_text(head: bytes) -> bool:
    """Check whether these bytes begin with a whole pickle of protocol 0 or 1 that imports something."""
    try:
        return bool(_IMPORT_OPCODES & {operation.name for operation, _, _ in pickletools.genops(head)})
    except Exception:  # noqa: BLE001 - other content fails in many ways
        return False


def _compressed(file: IO[bytes]) -> str | None:
    for magic, decompress in _DECOMPRESSORS:
        file.seek(0)
        if not file.read(len(magic)).startswith(magic):
            continue
        file.seek(0)
        try:
            inner = _kind(decompress(file).read(_HEAD))
        except (OSError, EOFError, zlib.error, lzma.LZMAError):
            continue
        if inner:
            return f"{inner}, compressed"
    return None


def _in_zip(file: IO[bytes]) -> str | None:
    """Return the kind of pickle in a zip, as torch and numpy write them; an unreadable zip counts as one."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > _MEMBERS:
                return f"a zip of {len(members)} members"
            for member in members:
                with archive.open(member) as inner:
                    if kind := _kind(inner.read(_HEAD)):
                        return f"a zip with {kind} in it"
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError, zlib.error) as error:
        return f"a zip that cannot be read ({error})"
    return None
