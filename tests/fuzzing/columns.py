"""Break parquet and Arrow files by their columns: other types, names and rows; the metadata stays."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random


def broken_parquet(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    """Return the file with one column changed; raises ValueError for what is no parquet file."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(pa.BufferReader(content))
        table = _changed(table, chance)
        sink = pa.BufferOutputStream()
        parquet.write_table(table, sink)
    except (pa.ArrowException, OSError) as error:
        raise ValueError("cannot be read, or not be written so") from error
    return sink.getvalue().to_pybytes()


def broken_arrow(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    """Return the Arrow file or stream with one column changed; raises ValueError for what is neither."""
    import pyarrow as pa
    from pyarrow import ipc

    try:
        is_file = content.startswith(b"ARROW1")
        reader = (ipc.open_file if is_file else ipc.open_stream)(pa.BufferReader(content))
        before = reader.read_all()
        before.validate(full=True)  # an earlier change may lead offsets out of their buffers
        table = _changed(before, chance)
        sink = pa.BufferOutputStream()
        with (ipc.new_file if is_file else ipc.new_stream)(sink, table.schema) as writer:
            writer.write_table(table)
    except (pa.ArrowException, OSError) as error:
        raise ValueError("cannot be read, or not be written so") from error
    return sink.getvalue().to_pybytes()


def _changed(table: Any, chance: random.Random) -> Any:
    import pyarrow as pa

    metadata = table.schema.metadata
    place = chance.randrange(table.num_columns)
    name, how = table.column_names[place], chance.randrange(8)
    if how < 4:
        column = pa.array(*_hostile(chance, table.num_rows))
        table = table.set_column(place, name, column)
    elif how == 4:
        table = table.remove_column(place)
    elif how == 5:
        table = table.add_column(
            place, chance.choice((name, "", "a\0b", "x" * 300, "id")), table.column(place)
        )
    elif how == 6:
        table = table.slice(0, chance.choice((0, 1, table.num_rows // 2)))
    else:
        rows = [chance.randrange(table.num_rows) for _ in range(table.num_rows)]
        table = table.take(rows)
    return table.replace_schema_metadata(metadata)


def _hostile(chance: random.Random, rows: int) -> tuple[list[Any], Any]:
    """Cells, and their type."""
    import pyarrow as pa

    cells, kind = chance.choice(
        (
            ([None], pa.null()),
            ([None], pa.string()),
            (["a", None], pa.string()),
            ([""], pa.large_string()),
            (["a" * 70_000], pa.string()),
            ([b"\xff\xfe"], pa.binary()),
            ([2**63 - 1, -(2**63)], pa.int64()),
            ([2**64 - 1], pa.uint64()),
            ([True, None], pa.bool_()),
            ([float("nan"), float("inf"), -0.0, 1e308], pa.float64()),
            ([["a"], [], None], pa.list_(pa.string())),
            ([[[1.0]], []], pa.list_(pa.list_(pa.float64()))),
            ([{"a": {"b": 1}}], pa.struct([("a", pa.struct([("b", pa.int64())]))])),
            ([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
            ([2**62, -(2**62)], pa.timestamp("us")),
            ([2**62, 0], pa.timestamp("ns", tz="Nowhere/City")),
            ([2**31 - 1, -(2**31)], pa.date32()),
            ([2**62], pa.duration("s")),
            ([decimal.Decimal("1e30")], pa.decimal128(38, 2)),
            ([dt.time(1)], pa.time64("us")),
            (["a", "b"], pa.dictionary(pa.int8(), pa.string())),
        )
    )
    return [cells[row % len(cells)] for row in range(rows)], kind
