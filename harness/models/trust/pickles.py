"""Whether a file is a pickle, by its content: names are what their giver likes."""

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
"""Bytes of a file, or of a member of an archive, that are looked at."""
_MEMBERS = 10_000
"""Members of a zip that are looked at; what has more is no weights."""
_MARKED = re.compile(rb"\x80[\x02-\x05]")
"""How a pickle of protocol 2 to 5 begins."""
_IMPORTING = {"GLOBAL", "INST", "STACK_GLOBAL"}
_ARRAY = b"\x93NUMPY"
_OPENED: tuple[tuple[bytes, Callable[[Any], Any]], ...] = (
    (b"\x1f\x8b", lambda file: gzip.GzipFile(fileobj=file)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ", lzma.LZMAFile),
    (b"]\x00\x00", lzma.LZMAFile),
    (b"x", lambda file: io.BytesIO(zlib.decompressobj().decompress(file.read(_HEAD), _HEAD))),
)
"""How compressed files begin, as joblib writes them, and what opens them."""


def pickle_kind(path: Path) -> str | None:
    """Say what kind of pickle a file holds: bare, of torch, in an archive, compressed; None for none.

    A pickle of the oldest protocols is text: it counts as one where it can be read to its end and imports
    something. Raises OSError.
    """
    with path.open("rb") as file:
        found = _kind(file.read(_HEAD)) or _compressed(file)
        return found or (_in_zip(file) if zipfile.is_zipfile(file) else None)


def _kind(head: bytes) -> str | None:
    """What kind of pickle begins so."""
    if _MARKED.match(head):
        return "a pickle"
    if head[257:262] == b"ustar":
        return "a tar, as torch once wrote pickles"
    if head.startswith(_ARRAY):
        # Its header is a literal of Python, {'descr': '|O', …}, and objects are pickled behind it.
        header = head[: 12 + int.from_bytes(head[8:10], "little")]
        return "a numpy array of pickled objects" if b"|O" in header or b"'O'" in header else None
    return "a pickle of an old protocol" if _is_text(head) else None


def _is_text(head: bytes) -> bool:
    """Whether these bytes begin with a whole pickle of protocol 0 or 1 that imports something."""
    try:
        return bool(_IMPORTING & {operation.name for operation, _, _ in pickletools.genops(head)})
    except Exception:  # noqa: BLE001 - what is no pickle fails in many ways
        return False


def _compressed(file: IO[bytes]) -> str | None:
    for begins, opened in _OPENED:
        file.seek(0)
        if not file.read(len(begins)).startswith(begins):
            continue
        file.seek(0)
        try:
            inner = _kind(opened(file).read(_HEAD))
        except (OSError, EOFError, zlib.error, lzma.LZMAError):
            continue
        if inner:
            return f"{inner}, compressed"
    return None


def _in_zip(file: IO[bytes]) -> str | None:
    """What kind of pickle a zip holds, as torch and numpy write them; what cannot be looked into counts."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > _MEMBERS:
                return f"a zip of {len(members)} members"
            for member in members:
                with archive.open(member) as inner:
                    if found := _kind(inner.read(_HEAD)):
                        return f"a zip with {found} in it"
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError, zlib.error) as error:
        return f"a zip that cannot be looked into ({error})"
    return None
