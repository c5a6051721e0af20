"""Read parquet files and Arrow files (IPC, as `datasets` keeps them)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.system.git_lfs import is_pointer, pointer_error
from harness.system.limits import collect_batches, read_parquet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    Records = list[dict[str, Any]]

_MAGIC = b"ARROW1\0\0"
"""First bytes of an IPC file; a stream begins otherwise."""


def read_arrow_rows(path: Path, kind: str) -> Records:
    """Read a parquet file, or an Arrow file or stream, as one dict per row.

    Raises HarnessError for a file that is damaged, is over a limit, or has two columns of one name.
    """
    import pyarrow as pa

    try:
        if is_pointer(path):
            raise pointer_error(path, "the file itself")
        table = _read_parquet(path) if kind == "parquet" else _read_ipc(path)
        check_distinct(table.column_names, path)
        rows: Records = table.to_pylist()
    # The last three: cells that Python cannot represent, such as a date after 9999 or an unknown time zone.
    except (pa.ArrowException, OSError, ValueError, OverflowError, LookupError) as error:
        raise HarnessError(f"{path} is not a readable {kind} file: {error}") from error
    except MemoryError as error:
        # A few bytes of a damaged file may ask for any size.
        raise HarnessError(
            f"{path} is not a readable {kind} file, or takes more memory than there is"
        ) from error
    return rows


def check_distinct(names: Sequence[str], path: Path) -> None:
    """Raise HarnessError for two columns of one name."""
    repeated = next((name for name, count in Counter(names).items() if count > 1), None)
    if repeated is not None:
        raise HarnessError(f"{path}: two columns are named {repeated!r}")


def _read_parquet(path: Path) -> pa.Table:
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        return read_parquet(file, path)


def _read_ipc(path: Path) -> pa.Table:
    from pyarrow import ipc

    with path.open("rb") as file:
        is_file = file.read(len(_MAGIC)) == _MAGIC
        file.seek(0)
        reader = ipc.open_file(file) if is_file else ipc.open_stream(file)
        with reader:
            batches = _batches(reader) if is_file else reader
            collected = collect_batches(batches, path)
            table = collected if collected is not None else reader.schema.empty_table()
    # Offsets of a damaged file may lead out of its buffers.
    table.validate(full=True)
    return table


def _batches(reader: pa.ipc.RecordBatchFileReader) -> Iterator[pa.RecordBatch]:
    return (reader.get_batch(number) for number in range(reader.num_record_batches))
