"""How much is read of what is not trusted: named limits, and the variable that raises each."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_SIZE = re.compile(r"(?P<number>\d{1,15}(\.\d+)?) ?(?P<prefix>[KMGT]?)(?P<unit>iB|B)?", re.IGNORECASE)
_CONTAINERS = (dict, list)
_ROWS_AT_ONCE = 1_024
_BYTES_AT_ONCE = 2**24
_GROWS_FREELY = 2**28
"""Bytes that a file may become from however few."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The most of something that is taken from a file; an environment variable of its name raises it."""

    variable: str
    default: int
    unit: str

    @property
    def most(self) -> int:
        """The limit that holds here; raises HarnessError for a variable that says no size."""
        given = os.environ.get(self.variable, "").strip()
        if not given:
            return self.default
        if re.fullmatch(r"[0-9]{1,15}", given):
            return int(given)
        return read_size(given, self.variable)

    def check(self, found: int, where: object) -> None:
        """Raise HarnessError, naming the limit, where more than it was found."""
        if found > self.most:
            raise self.exceeded(where, f"{found:,}")

    def exceeded(self, where: object, found: str = "more") -> HarnessError:
        """Make the error for what is over the limit."""
        return HarnessError(
            f"{where}: {found} {self.unit}, where the limit is {self.most:,}",
            hint=f"if it is meant to be so large, raise the limit: {self.variable}=…",
        )


DATA = Limit("HARNESS_MAX_DATA_BYTES", 8 * 2**30, "bytes of data")
"""Of a file of rows, as it lies on disk and as it is once decompressed."""
ROWS = Limit("HARNESS_MAX_ROWS", 50_000_000, "rows")
"""Of a parquet file, in which a billion equal rows are a few bytes."""
GROWTH = Limit("HARNESS_MAX_GROWTH", 1_000, "times its size on disk")
"""Of a parquet file that becomes more than 256 MiB."""
CONFIG = Limit("HARNESS_MAX_CONFIG_BYTES", 2**20, "bytes of TOML")
"""Of a configuration, a task file, a recipe, a gate."""
CARD = Limit("HARNESS_MAX_CARD_BYTES", 4 * 2**20, "bytes of a model card")
"""As it lies on disk, and of the texts in its front matter, once every alias of YAML is written out."""
RECORD = Limit("HARNESS_MAX_RECORD_BYTES", 64 * 2**20, "bytes of JSON")
"""Of a record, a lineage, a bench, a configuration in a model folder."""
DEPTH = Limit("HARNESS_MAX_DEPTH", 100, "levels of nesting")
VALUES = Limit("HARNESS_MAX_CARD_VALUES", 1_000_000, "lists and tables in one")
"""Of a card's front matter: in YAML ten lines can stand for a billion, and count as a billion."""
FOLDERS = Limit("HARNESS_MAX_MODEL_FOLDERS", 1_000, "folders in a model")


def read_size(text: str, where: str) -> int:
    """Read a size such as `20GiB`, `500 MB` or `1.5T`; where: who said it.

    Letters without `B` count in 1,024s. Raises HarnessError for what is no size, or has no unit.
    """
    found = _SIZE.fullmatch(text.strip())
    if not found or not (found["prefix"] or found["unit"]) or not float(found["number"]):
        raise HarnessError(f"{where}: {text!r} is no size", hint="such as 20GiB, 8G or 500MB")
    base = 1000 if (found["unit"] or "").upper() == "B" else 1024
    return int(float(found["number"]) * base ** _UNITS[found["prefix"].upper()])


def read_file(path: Path, limit: Limit) -> bytes:
    """Read a whole file, or a pipe, that the user named.

    Raises HarnessError for one over the limit, where it says its size before it is read, and OSError.
    """
    with path.open("rb") as file:
        state = os.fstat(file.fileno())
        limit.check(state.st_size, path)
        if stat.S_ISREG(state.st_mode):
            return file.read()
        content = bytearray()
        # A pipe or a device says nothing of its size, and may have no end.
        while piece := file.read(_BYTES_AT_ONCE):
            content += piece
            limit.check(len(content), path)
        return bytes(content)


def read_regular_file(path: Path, limit: Limit) -> bytes:
    """Read a whole file that lies in a folder, and that nobody named.

    Raises HarnessError for one over the limit, and for a pipe or a device, for which one could wait without
    end; and OSError.
    """
    with open(path, "rb", opener=_open_at_once) as file:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode):
            raise HarnessError(f"{path} is no file: it is a pipe or a device, or a link to one")
        limit.check(state.st_size, path)
        content: bytes = file.read()
        return content


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for who writes to a pipe, and without becoming a terminal's process."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def read_json_file(path: Path) -> Any:  # noqa: ANN401 - JSON
    """Read a JSON file of ours, or of a model folder, into plain values.

    Raises HarnessError for one over a limit or that is no file, msgspec.DecodeError, UnicodeDecodeError and
    OSError.
    """
    content = read_regular_file(path, RECORD)
    try:
        value = msgspec.json.decode(content)
    except RecursionError as error:
        raise DEPTH.exceeded(path) from error
    check_nesting(value, path)
    return value


def check_nesting(value: Any, where: object) -> None:  # noqa: ANN401 - JSON
    """Raise HarnessError for lists and tables that lie too deeply in each other."""
    level = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(DEPTH.most):
        if not level:
            return
        inside = (outer.values() if isinstance(outer, dict) else outer for outer in level)
        level = [one for row in inside for one in row if isinstance(one, _CONTAINERS)]
    if level:
        raise DEPTH.exceeded(where)


def read_parquet(file: ParquetFile, where: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read columns of an open parquet file, all when None, in pieces that are counted as they come.

    where: the file's path.

    What a file says of itself is checked first, and not believed: few bytes can become many.
    Raises HarnessError for what is over a limit.
    """
    import pyarrow as pa

    said, on_disk = file.metadata, where.stat().st_size
    ROWS.check(said.num_rows, where)
    DATA.check(sum(said.row_group(one).total_byte_size for one in range(said.num_row_groups)), where)
    pieces, rows, size = [], 0, 0
    for piece in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=columns):
        rows, size = rows + piece.num_rows, size + piece.nbytes
        ROWS.check(rows, where)
        DATA.check(size, where)
        if size > _GROWS_FREELY:
            GROWTH.check(size // on_disk, where)
        pieces.append(piece)
    if not pieces:
        return file.read(columns=columns)
    return pa.Table.from_batches(pieces)
