"""A results folder: one JSON file per (model, task), one parquet file beside it, each whole or absent."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from harness.errors import HarnessError
from harness.records import SCHEMA, Evaluation, Throughput, plain_values

if TYPE_CHECKING:
    from harness.tables import Predictions


_HASH = b"content_hash"


class Results:
    """A results folder: `records/`, `predictions/`, `throughput/`, `errors/`, `runs/`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, model: tuple[str, str], task: str) -> Evaluation | None:
        """Read a record; None where there is none, or it was written by another schema."""
        path = self._record(model, task)
        return _decode(path, Evaluation) if path.is_file() else None

    def write(self, evaluation: Evaluation, predictions: Predictions | None) -> None:
        """Write the predictions, then the record that vouches for them."""
        model, task = evaluation.model, evaluation.examination.task
        if predictions is not None and evaluation.predictions is not None:
            content = _parquet(predictions, evaluation.predictions)
            write_atomically(self.predictions_path(model, task), content)
        _remove(self._error(model, task))
        write_atomically(self._record(model, task), encode(evaluation))

    def write_error(self, evaluation: Evaluation, trace: str | None) -> None:
        """Write an ERROR record, with its traceback in a file of its own."""
        model, task = evaluation.model, evaluation.examination.task
        if trace is not None:
            write_atomically(self._error(model, task), trace.encode(errors="replace"))
        _remove(self.predictions_path(model, task))
        write_atomically(self._record(model, task), encode(evaluation))

    def has_predictions(self, evaluation: Evaluation) -> bool:
        """Whether the predictions that a record vouches for are there, and are not those of another run."""
        path = self.predictions_path(evaluation.model, evaluation.examination.task)
        return evaluation.predictions is None or _written_hash(path) == evaluation.predictions

    def predictions_path(self, model: tuple[str, str], task: str) -> Path:
        """Where the predictions of a (model, task) are."""
        return self._path("predictions", model, f"{file_name(task)}.parquet")

    def error_path(self, model: tuple[str, str], task: str) -> Path:
        """Where the traceback of a failed (model, task) is."""
        return self._error(model, task)

    def evaluations(self) -> list[Evaluation]:
        """All records, in an order that depends on their content alone.

        Raises HarnessError for a file that is not a record.
        """
        paths = sorted(self.root.glob("records/*/*.json"))
        found = [record for path in paths if (record := _decode(path, Evaluation)) is not None]
        return sorted(found, key=lambda one: (one.examination.task, *one.model))

    def write_throughput(self, throughput: Throughput) -> None:
        """Write a speed; it replaces the model's last one."""
        model = throughput.model, throughput.fingerprint
        write_atomically(self.root / "throughput" / f"{_folder(model)}.json", encode(throughput))

    def throughputs(self) -> list[Throughput]:
        """All speeds, by model."""
        paths = sorted(self.root.glob("throughput/*.json"))
        return [record for path in paths if (record := _decode(path, Throughput)) is not None]

    def write_run(self, name: str, content: dict[str, Any]) -> None:
        """Write what a run ran on and what it did."""
        write_atomically(self.root / "runs" / f"{file_name(name)}.json", encode(content))

    def _record(self, model: tuple[str, str], task: str) -> Path:
        return self._path("records", model, f"{file_name(task)}.json")

    def _error(self, model: tuple[str, str], task: str) -> Path:
        return self._path("errors", model, f"{file_name(task)}.txt")

    def _path(self, part: str, model: tuple[str, str], name: str) -> Path:
        return self.root / part / _folder(model) / name


def encode(record: Any) -> bytes:  # noqa: ANN401 - any dataclass
    """Write a record as indented JSON; NaN becomes null."""
    content = record if isinstance(record, dict) else asdict(record)
    # What a task fitted may be a numpy number or array.
    text = msgspec.json.encode(content, enc_hook=lambda value: value.tolist())
    return msgspec.json.format(text, indent=1) + b"\n"


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, also when the power fails in between.

    Raises HarnessError where the disk is full or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise HarnessError(
            f"cannot write {path}: {error.strerror}",
            hint="earlier results are intact; free the disk or pick --out",
        ) from error


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise HarnessError(f"cannot remove {path}: {error.strerror}", hint="pick another --out") from error


def file_name(name: str) -> str:
    """Make a name that is safe as a file name, and different for different names.

    Letters, digits, `.`, `_`, `-` stay; all else, a leading dot too, becomes %XX of its UTF-8 bytes.
    A name that would be too long is cut and ends in `~` and its hash.
    """
    escaped = re.sub(
        r"[^A-Za-z0-9._-]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), name
    )
    escaped = re.sub(r"^\.", "%2E", escaped)
    if len(escaped) <= 120:
        return escaped or "%"
    return f"{escaped[:100]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _folder(model: tuple[str, str]) -> str:
    name, fingerprint = model
    return f"{file_name(name)}~{file_name(fingerprint[:8])}"


def _decode(path: Path, kind: Any) -> Any:  # noqa: ANN401 - an instance of `kind`
    try:
        content = msgspec.json.decode(path.read_bytes())
        if isinstance(content, dict) and content.get("schema") != SCHEMA:
            return None
        return msgspec.convert(content, kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OSError) as error:
        raise HarnessError(
            f"{path} is not a readable record: {error}", hint="delete it; the next run computes it again"
        ) from error


def _parquet(predictions: Predictions, content: str) -> bytes:
    """Write predictions as parquet, with their content hash in the footer."""
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({name: plain_values(values) for name, values in predictions.columns.items()})
    sink = pa.BufferOutputStream()
    parquet.write_table(table.replace_schema_metadata({_HASH: content}), sink, compression="zstd")
    written: bytes = sink.getvalue().to_pybytes()
    return written


def _written_hash(path: Path) -> str | None:
    """Read the content hash from a parquet file's footer; None where there is no such file."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return str((parquet.read_schema(path).metadata or {}).get(_HASH, b"").decode())
    except (pa.ArrowException, OSError):
        return None
