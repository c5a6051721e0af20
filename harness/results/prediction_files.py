"""Files of predictions: parquet, with the content hash in the footer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from harness.errors import HarnessError
from harness.results.records import columns_hash, plain_values
from harness.system import limits
from harness.system.paths import accessible

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy as np
    import pyarrow as pa

    from harness.results.records import Evaluation
    from harness.tasks.dataset import Column, KeptOut, Predictions

_HASH = b"content_hash"
"""Name of the content hash in a file's footer."""
_KEPT_OUT = b"kept_out"
"""Name of what `--no-texts` kept out, as JSON, in a file's footer; missing where texts are in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """One model's result on one task, and the file of its predictions where there is one."""

    evaluation: Evaluation
    predictions: Path | None = None


def to_parquet(predictions: Predictions, content: str) -> bytes:
    """Return predictions as parquet; content: their content hash, for the footer."""
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({name: _to_arrow(name, values) for name, values in predictions.columns.items()})
    footer = {_HASH: content.encode()}
    if predictions.kept_out is not None:
        footer[_KEPT_OUT] = msgspec.json.encode(predictions.kept_out)
    sink = pa.BufferOutputStream()
    parquet.write_table(table.replace_schema_metadata(footer), sink, compression="zstd")
    written: bytes = sink.getvalue().to_pybytes()
    return written


def _to_arrow(name: str, values: Column) -> pa.Array:
    """Return a column for a file; raises HarnessError for cells of several kinds."""
    import pyarrow as pa

    try:
        return pa.array(plain_values(values))
    except (pa.ArrowException, OverflowError) as error:
        raise HarnessError(
            f"column {name!r} of the predictions cannot be written: {error}",
            hint="its cells are all texts, all numbers, all true or false, or all lists of one of these",
            without_texts=f"column {name!r} of the predictions has cells of several kinds",
        ) from error


def read_content_hash(path: Path) -> str | None:
    """Read the content hash from a file's footer; None where there is no such file."""
    schema = _read_schema(path)
    return None if schema is None else _content_hash_of(schema)


def holds_texts(path: Path) -> bool:
    """Whether a file of predictions may hold texts: its footer does not say that they were kept out."""
    schema = _read_schema(path)
    return schema is None or _KEPT_OUT not in (schema.metadata or {})


def _read_schema(path: Path) -> pa.Schema | None:
    """Read a file's schema, with its footer; None where there is no such file."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        # Opening a pipe would wait without end.
        return parquet.read_schema(path) if path.is_file() else None
    except (pa.ArrowException, OSError):
        return None


def read_predictions(path: Path) -> tuple[Predictions, str]:
    """Read a whole file of predictions: its columns as they were written, and the hash in its footer.

    Raises HarnessError for a file that cannot be read, or that holds no predictions.
    """
    import pyarrow as pa
    from pyarrow import parquet

    from harness.tasks.dataset import Dataset, Predictions

    try:
        with parquet.ParquetFile(path) as file:
            table, schema = limits.read_parquet(file, path), file.schema_arrow
        columns = {name: table[name].to_pylist() for name in table.column_names}
    # A column that occurs twice, or holds values that Python cannot, is not one that we wrote.
    except (pa.ArrowException, OSError, ValueError, OverflowError, LookupError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise HarnessError(f"it cannot be read: {reason}") from error
    if not columns.get("id"):
        raise HarnessError("it holds no predictions: it has no rows with an id")
    predictions = Predictions(Dataset({"row": range(len(columns["id"]))}))
    predictions.columns = dict(columns)
    predictions.kept_out = _kept_out_of(schema)
    return predictions, _content_hash_of(schema)


def read_table(result: TaskResult, columns: Iterable[str] | None = None) -> dict[str, np.ndarray]:
    """Read the predictions that a record vouches for: column → (n,); list cells are arrays.

    columns: names of the columns needed, of which those that exist are read; all when None.
    The values of all columns are hashed, and compared with the record, when a process first reads a file. A
    few columns of a file are kept, since many comparisons read those of one baseline; they cannot be changed.
    Raises HarnessError for a file that is missing, cannot be read, or is not what the record says.
    """
    import pyarrow as pa
    from pyarrow import parquet

    path, what = find_predictions(result), _describe(result)
    if not accessible(path).is_file():
        raise HarnessError(f"the {what} are missing: no file {path}")
    try:
        with parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
            wanted = [name for name in schema.names if columns is None or name in set(columns)]
            state = _state(path, result.evaluation.predictions)
            if (kept := _KEPT.pop((*state, *wanted), None)) is not None:
                _KEPT[(*state, *wanted)] = kept
                return dict(kept)
            table = limits.read_parquet(file, path, wanted if state in _VERIFIED else None)
            cells = {name: table[name].to_pylist() for name in table.column_names}
            arrays = {name: _to_array(cells[name], table[name].type) for name in wanted}
    # A column that occurs twice, or holds values that Python cannot, is not one that we wrote.
    except (pa.ArrowException, OSError, ValueError, OverflowError, LookupError) as error:
        raise HarnessError(f"the {what} cannot be read: {path}: {error}") from error
    if _content_hash_of(schema) != result.evaluation.predictions:
        raise HarnessError(f"the {what} are of another run than their record: {path}")
    if state not in _VERIFIED:
        if columns_hash(cells, _kept_out_of(schema)) != result.evaluation.predictions:
            raise HarnessError(
                f"the {what} were changed: their values do not have their record's hash: {path}"
            )
        _VERIFIED.add(state)
    for name in {"id", "cluster"} & arrays.keys():
        if arrays[name].dtype == object and not all(isinstance(cell, str) for cell in arrays[name]):
            raise HarnessError(f"the {what} have cells in column {name!r} that are not text: {path}")
    if "id" not in arrays and (columns is None or "id" in columns):
        raise HarnessError(f"the {what} have no column 'id': {path}")
    if columns is not None:
        _keep((*state, *wanted), arrays)
    return arrays


def _keep(key: tuple[object, ...], table: dict[str, np.ndarray]) -> None:
    """Keep a table, and drop those that were read longest ago."""
    for values in table.values():
        values.setflags(write=False)
    _KEPT[key] = dict(table)
    cells = sum(values.size for kept in _KEPT.values() for values in kept.values())
    while cells > _MOST_KEPT_CELLS:
        oldest = _KEPT.pop(next(iter(_KEPT)))
        cells -= sum(values.size for values in oldest.values())


def column_names(result: TaskResult) -> list[str]:
    """Return the names of the columns of a result's predictions; raises HarnessError for a missing file."""
    path = find_predictions(result)
    if (schema := _read_schema(accessible(path))) is None:
        raise HarnessError(f"the {_describe(result)} are missing or cannot be read: {path}")
    return list(schema.names)


def find_predictions(result: TaskResult) -> Path:
    """Return the path of a result's predictions; raises HarnessError for a result without any."""
    if result.evaluation.predictions is None:
        raise HarnessError(f"no {_describe(result)}: another tool scored it as a whole")
    if result.predictions is None:
        raise HarnessError(
            f"the {_describe(result)} are not at hand", hint="give the results folder, not a copied CSV"
        )
    return result.predictions


def _content_hash_of(schema: pa.Schema) -> str:
    """Read the content hash of a footer; empty where it has none."""
    content: bytes = (schema.metadata or {}).get(_HASH, b"")
    return content.decode(errors="replace")


def _kept_out_of(schema: pa.Schema) -> KeptOut | None:
    """Read what was kept out of a file; raises HarnessError for a footer that does not say it properly."""
    from harness.tasks.dataset import KeptOut

    content = (schema.metadata or {}).get(_KEPT_OUT)
    try:
        return None if content is None else msgspec.json.decode(content, type=KeptOut)
    except (msgspec.DecodeError, RecursionError) as error:
        raise HarnessError(f"its footer does not say what was kept out: {error}") from error


def _describe(result: TaskResult) -> str:
    evaluation = result.evaluation
    return f"predictions of {evaluation.candidate.model} on {evaluation.examination.task}"


_KEPT: dict[tuple[object, ...], dict[str, np.ndarray]] = {}
"""Tables by the state of their file and their columns, the one that was read last at the end."""

_MOST_KEPT_CELLS = 1_000_000
"""Maximum number of cells kept: the columns of a baseline on a hundred tasks of 2,000 examples."""

_VERIFIED: set[tuple[object, ...]] = set()
"""States of files whose values have the hash of a record: many comparisons read one file."""


def _state(path: Path, expected: str | None) -> tuple[object, ...]:
    """Return what changes when a file is written again, and the hash that its record expects."""
    found = path.stat()
    return path, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, expected


def _to_array(cells: list[Any], kind: Any) -> np.ndarray:  # noqa: ANN401 - pyarrow has no types
    """Return plain values as an array: pyarrow's own way to numpy imports pandas."""
    import numpy as np
    import pyarrow as pa

    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return np.asarray([math.nan if cell is None else cell for cell in cells])
    if pa.types.is_boolean(kind) and None not in cells:
        return np.asarray(cells, dtype=bool)
    array = np.empty(len(cells), dtype=object)
    array[:] = [np.asarray(cell) if isinstance(cell, list) else cell for cell in cells]
    return array
