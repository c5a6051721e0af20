"""Read parquet files and Arrow files (IPC, as `datasets` keeps them)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.system.git_lfs import is_pointer, pointer_error
from harness.system.limits import checked_batches, parquet_batches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    Records = list[dict[str, Any]]

_MAGIC = b"ARROW1\0\0"
"""First bytes of an IPC file; a stream begins otherwise."""
_ROWS_AT_ONCE = 1_024
_BYTES_AT_ONCE = 2**20


def read_arrow_rows(path: Path, kind: str) -> Records:
    """Read a parquet file, or an Arrow file or stream, as one dict per row.

    Raises HarnessError for a file that is damaged, is over a limit, or has two columns of one name.
    """
    return [row for batch in arrow_row_batches(path, kind) for row in batch]


def arrow_row_batches(path: Path, kind: str) -> Iterator[Records]:
    """Yield the rows that `read_arrow_rows` returns in batches.

    Raises HarnessError as it does, where it comes to what is wrong.
    """
    import pyarrow as pa

    try:
        if is_pointer(path):
            raise pointer_error(path, "the file itself")
        for batch in _parquet_batches(path) if kind == "parquet" else _ipc_batches(path):
            for start in range(0, batch.num_rows, _ROWS_AT_ONCE):
                yield batch.slice(start, _ROWS_AT_ONCE).to_pylist()
    # The last three: cells that Python cannot represent, such as a date after 9999 or an unknown time zone.
    except (pa.ArrowException, OSError, ValueError, OverflowError, LookupError) as error:
        raise HarnessError(f"{path} is not a readable {kind} file: {error}") from error
    except MemoryError as error:
        # A few bytes of a damaged file may ask for any size.
        raise HarnessError(
            f"{path} is not a readable {kind} file, or takes more memory than there is"
        ) from error


def check_distinct(names: Sequence[str], path: Path) -> None:
    """Raise HarnessError for two columns of one name."""
    repeated = next((name for name, count in Counter(names).items() if count > 1), None)
    if repeated is not None:
        raise HarnessError(f"{path}: two columns are named {repeated!r}")


def _parquet_batches(path: Path) -> Iterator[pa.RecordBatch]:
    from pyarrow import parquet

    # By default a row group is read whole, and a file may be one.
    with parquet.ParquetFile(path, buffer_size=_BYTES_AT_ONCE, pre_buffer=False) as file:
        check_distinct(file.schema_arrow.names, path)
        yield from parquet_batches(file, path)


def _ipc_batches(path: Path) -> Iterator[pa.RecordBatch]:
    from pyarrow import ipc

    with path.open("rb") as file:
        is_file = file.read(len(_MAGIC)) == _MAGIC
        file.seek(0)
        reader = ipc.open_file(file) if is_file else ipc.open_stream(file)
        with reader:
            check_distinct(reader.schema.names, path)
            for batch in checked_batches(_batches(reader) if is_file else reader, path):
                # Offsets of a damaged file may lead out of its buffers.
                batch.validate(full=True)
                yield batch


def _batches(reader: pa.ipc.RecordBatchFileReader) -> Iterator[pa.RecordBatch]:
    return (reader.get_batch(number) for number in range(reader.num_record_batches))
