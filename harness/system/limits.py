"""Limits for reading untrusted files, and the environment variable that raises each."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_SIZE = re.compile(r"(?P<number>\d{1,15}(\.\d+)?) ?(?P<prefix>[KMGT]?)(?P<unit>iB|B)?", re.IGNORECASE)
_CONTAINERS = (dict, list)
_ROWS_AT_ONCE = 1_024
_BYTES_AT_ONCE = 2**24
_GROWS_FREELY = 2**28
"""Bytes up to which a decompressed file is not checked against `GROWTH`."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A maximum of what is read from a file; an environment variable raises it."""

    variable: str
    default: int
    unit: str

    @property
    def most(self) -> int:
        """The limit in this process; raises HarnessError if the variable is not a size."""
        value = os.environ.get(self.variable, "").strip()
        if not value:
            return self.default
        if re.fullmatch(r"[0-9]{1,15}", value):
            return int(value)
        return read_size(value, self.variable)

    def check(self, count: int, where: object) -> None:
        """Raise HarnessError, naming the limit, if a count is over it."""
        if count > self.most:
            raise self.exceeded(where, f"{count:,}")

    def exceeded(self, where: object, count: str = "more") -> HarnessError:
        """Return the error for a count over the limit."""
        return HarnessError(
            f"{where}: {count} {self.unit}, where the limit is {self.most:,}",
            hint=f"if it is meant to be so large, raise the limit: {self.variable}=…",
        )


DATA = Limit("HARNESS_MAX_DATA_BYTES", 8 * 2**30, "bytes of data")
"""Maximum size of a file of rows, on disk and decompressed."""
ROWS = Limit("HARNESS_MAX_ROWS", 50_000_000, "rows")
"""Maximum rows of a parquet or Arrow file, in which a billion equal rows take a few bytes."""
GROWTH = Limit("HARNESS_MAX_GROWTH", 1_000, "times its size on disk")
"""Maximum growth of a parquet, Arrow or compressed file that takes more than 256 MiB when decompressed."""
CONFIG = Limit("HARNESS_MAX_CONFIG_BYTES", 2**20, "bytes of TOML")
"""Maximum size of a configuration, a task file, a recipe or a gate."""
CARD = Limit("HARNESS_MAX_CARD_BYTES", 4 * 2**20, "bytes of a model card")
"""Maximum size of a card on disk, and of the texts in its front matter with all YAML aliases expanded."""
RECORD = Limit("HARNESS_MAX_RECORD_BYTES", 64 * 2**20, "bytes of JSON")
"""Maximum size of a record, a lineage, a bench, or a configuration in a model folder."""
DEPTH = Limit("HARNESS_MAX_DEPTH", 100, "levels of nesting")
"""Maximum nesting of lists and tables in JSON, TOML and YAML."""
VALUES = Limit("HARNESS_MAX_CARD_VALUES", 1_000_000, "lists and tables in one")
"""Maximum lists and tables of a card's front matter; a YAML alias counts as often as it is used."""
FOLDERS = Limit("HARNESS_MAX_MODEL_FOLDERS", 1_000, "folders in a model")
"""Maximum folders of a model."""


def read_size(text: str, where: str) -> int:
    """Return the bytes of a size such as `20GiB`, `500 MB` or `1.5T`; where: the option that holds it.

    Letters without `B` count in 1,024s. Raises HarnessError for an invalid size, or one without a unit.
    """
    match = _SIZE.fullmatch(text.strip())
    if not match or not (match["prefix"] or match["unit"]) or not float(match["number"]):
        raise HarnessError(f"invalid size {text!r} for {where}", hint="write 20GiB, 8G or 500MB")
    base = 1000 if (match["unit"] or "").upper() == "B" else 1024
    return int(float(match["number"]) * base ** _UNITS[match["prefix"].upper()])


def read_file(path: Path, limit: Limit) -> bytes:
    """Return the content of a file, or a pipe, that the user named.

    Raises HarnessError if it is over the limit, before it is read if its size is known, and OSError.
    """
    with path.open("rb") as file:
        state = os.fstat(file.fileno())
        limit.check(state.st_size, path)
        if stat.S_ISREG(state.st_mode):
            return file.read()
        content = bytearray()
        # The size of a pipe or a device is unknown, and it may have no end.
        while piece := file.read(_BYTES_AT_ONCE):
            content += piece
            limit.check(len(content), path)
        return bytes(content)


def read_regular_file(path: Path, limit: Limit) -> bytes:
    """Return the content of a regular file, found in a folder and not named by the user.

    Raises HarnessError if it is over the limit, or is a pipe or a device, which could block forever; and
    OSError.
    """
    with open(path, "rb", opener=_open_at_once) as file:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode):
            raise HarnessError(f"{path} is not a regular file: it is a pipe or a device, or a link to one")
        limit.check(state.st_size, path)
        content: bytes = file.read()
        return content


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for the writer of a pipe, and without acquiring a controlling terminal."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def read_json_file(path: Path) -> Any:  # noqa: ANN401 - JSON
    """Return the plain values of a JSON file of ours, or of a model folder.

    Raises HarnessError if it is over a limit or not a regular file; msgspec.DecodeError, UnicodeDecodeError
    and OSError.
    """
    content = read_regular_file(path, RECORD)
    try:
        value = msgspec.json.decode(content)
    except RecursionError as error:
        raise DEPTH.exceeded(path) from error
    check_nesting(value, path)
    return value


def check_nesting(value: Any, where: object) -> None:  # noqa: ANN401 - JSON
    """Raise HarnessError for lists and tables that are nested too deeply."""
    level = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(DEPTH.most):
        if not level:
            return
        inside = (outer.values() if isinstance(outer, dict) else outer for outer in level)
        level = [value for values in inside for value in values if isinstance(value, _CONTAINERS)]
    if level:
        raise DEPTH.exceeded(where)


def read_parquet(file: ParquetFile, where: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Return columns of an open parquet file, all if None, read in pieces that are checked as they come.

    where: the file's path. Raises HarnessError if it is over a limit.
    """
    import pyarrow as pa

    pieces = list(parquet_batches(file, where, columns))
    return pa.Table.from_batches(pieces) if pieces else file.read(columns=columns)


def parquet_batches(
    file: ParquetFile, where: Path, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield columns of an open parquet file, all if None, in pieces that are checked as they come.

    where: the file's path.
    Its metadata is checked first, and not trusted: few bytes can become many.
    Raises HarnessError if it is over a limit.
    """
    metadata = file.metadata
    ROWS.check(metadata.num_rows, where)
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    DATA.check(sum(group.total_byte_size for group in groups), where)
    yield from checked_batches(file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=columns), where)


def checked_batches(batches: Iterable[pa.RecordBatch], where: Path) -> Iterator[pa.RecordBatch]:
    """Yield record batches of an Arrow or parquet file, each checked as it comes.

    where: the file's path.
    Raises HarnessError if their rows or bytes are over a limit.
    """
    rows, size, on_disk = 0, 0, where.stat().st_size
    for piece in batches:
        rows, size = rows + piece.num_rows, size + piece.nbytes
        ROWS.check(rows, where)
        DATA.check(size, where)
        check_growth(size, on_disk, where)
        yield piece


def check_growth(size: int, on_disk: int, where: object) -> None:
    """Raise HarnessError for a decompressed size of more than 256 MiB that is out of proportion."""
    if size > _GROWS_FREELY:
        GROWTH.check(size // max(on_disk, 1), where)
