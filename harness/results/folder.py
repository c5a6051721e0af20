"""A results folder: one JSON file per (model, task), one parquet file beside it, each whole or absent."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from harness.errors import HarnessError
from harness.results.prediction_files import read_content_hash, to_parquet
from harness.results.records import SCHEMA, Evaluation, Throughput
from harness.system.atomic import _unwritable, locked, remove_stale, write_inside
from harness.system.limits import read_json_file
from harness.system.paths import accessible, file_name, refuse_symlinks, symlink_below
from harness.system.signals import defer_signals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.results.records import Examination
    from harness.tasks.dataset import Predictions

    Identity = tuple[str, str]
    """A model's name and fingerprint."""

Kept = TypeVar("Kept", Evaluation, Throughput)


_PARTS = ("records", "predictions", "errors", "throughput", "runs")
SEAL = "seal"
"""Under this name a record's file holds the hash of all else in it; a reader of records passes over it."""
_HINT = "delete it; a run that needs it computes it again"
_SHOWN = 5
_PATIENCE = 60.0
"""Seconds to wait for another process that writes a leaderboard."""


class Results:
    """A results folder: `records/`, `predictions/`, `throughput/`, `errors/`, `runs/`.

    A sample's record, a limited one and the full one stand side by side. A failure goes to `errors/`
    and leaves what was finished before where it is.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, model: Identity, examination: Examination) -> Evaluation | None:
        """Read a finished record; None where there is none.

        Raises HarnessError for a file that is not a record, one of another schema, or one that was changed,
        and where nobody can say whether one is there.
        """
        path = accessible(self.slot(model, examination))
        if not path.is_file():
            return None
        found, seal_holds = read_record(path)
        if seal_holds is False:
            raise HarnessError(f"{path} was changed after it was written: its seal does not hold", hint=_HINT)
        return found

    def failure(self, model: Identity, examination: Examination) -> Evaluation | None:
        """Read the ERROR record of what failed last; None where there is none.

        Raises HarnessError as `read` does.
        """
        path = accessible(self._path("errors", model, examination, "json"))
        return _read_as(path, Evaluation) if path.is_file() else None

    def write(self, evaluation: Evaluation, predictions: Predictions | None) -> None:
        """Write the predictions, then the record that vouches for them."""
        with defer_signals():
            if predictions is not None and evaluation.predictions is not None:
                content = to_parquet(predictions, evaluation.predictions)
                self._write(self.predictions_path(evaluation), content)
            self._write(self.record_path(evaluation), sealed(evaluation))

    def write_error(self, evaluation: Evaluation, trace: str | None) -> None:
        """Write an ERROR record, with its traceback in a file of its own."""
        if trace is None:
            self._remove(self.trace_path(evaluation))
        else:
            self._write(self.trace_path(evaluation), trace.encode(errors="replace"))
        self._write(self.record_path(evaluation), sealed(evaluation))

    def forget_failure(self, evaluation: Evaluation) -> None:
        """Remove the ERROR record of what has now been finished, or was all along."""
        # A task that failed before it asked for its data may have been filed as one that brings its own.
        for data in ("sample", "files"):
            examination = replace(evaluation.examination, data=data)
            for ending in ("json", "txt"):
                self._remove(self._path("errors", evaluation.model, examination, ending))

    def has_predictions(self, evaluation: Evaluation) -> bool:
        """Whether the predictions that a record vouches for are there, and are not those of another run."""
        return (
            evaluation.predictions is None
            or read_content_hash(self.predictions_path(evaluation)) == evaluation.predictions
        )

    def slot(self, model: Identity, examination: Examination) -> Path:
        """Where the record of a finished evaluation belongs, whether it is there or not."""
        return self._path("records", model, examination, "json")

    def record_path(self, evaluation: Evaluation) -> Path:
        """Where the record of an evaluation is; a failure is filed apart."""
        part = "records" if evaluation.status == "ok" else "errors"
        return self._path(part, evaluation.model, evaluation.examination, "json")

    def predictions_path(self, evaluation: Evaluation) -> Path:
        """Where the predictions of an evaluation are."""
        return self._path("predictions", evaluation.model, evaluation.examination, "parquet")

    def trace_path(self, evaluation: Evaluation) -> Path:
        """Where the traceback of a failed evaluation is."""
        return self._path("errors", evaluation.model, evaluation.examination, "txt")

    def evaluations(self, unreadable: list[str] | None = None) -> list[Evaluation]:
        """All records, in an order that depends on their content alone; a failure hides an earlier success.

        unreadable: takes one sentence for each file that is not a record; when it is None, the first
        such file raises HarnessError.
        """
        paths = [*self.root.glob("records/*/*.json"), *self.root.glob("errors/*/*.json")]
        latest: dict[tuple[str, ...], Evaluation] = {}
        # Errors come after records: `sorted` would put them first.
        for path in sorted(paths, key=lambda path: (path.parts[-3] == "errors", path)):
            try:
                found = _read_as(path, Evaluation)
            except HarnessError as error:
                if not os.path.lexists(path):
                    continue  # a failure that another process has just made good
                if unreadable is None:
                    raise
                unreadable.append(error.message)
                continue
            latest[*found.model, _slot(found.examination)] = found
        return sorted(
            latest.values(), key=lambda one: (one.examination.task, *one.model, _slot(one.examination))
        )

    def write_throughput(self, throughput: Throughput) -> None:
        """Write a speed; it replaces the model's last one."""
        model = throughput.model, throughput.fingerprint
        self._write(self._throughput(model), encode(throughput))

    def has_throughput(self, model: Identity) -> bool:
        """Whether the model was timed before."""
        return accessible(self._throughput(model)).is_file()

    def throughputs(self) -> list[Throughput]:
        """All speeds, by model."""
        return [_read_as(path, Throughput) for path in sorted(self.root.glob("throughput/*.json"))]

    def write_run(self, name: str, content: dict[str, Any]) -> None:
        """Write what a run ran on and what it did."""
        self._write(self.root / "runs" / f"{file_name(name)}.json", encode(content))

    @property
    def begun(self) -> bool:
        """Whether something may have been written here: where nothing was, nothing is left behind either."""
        return any((self.root / part).is_dir() for part in ("records", "errors", "throughput"))

    def run_paths(self) -> list[Path]:
        """The files that runs wrote of themselves."""
        return sorted(self.root.glob("runs/*.json"))

    @contextmanager
    def publishing_lock(self) -> Iterator[None]:
        """Keep other processes out of what is written from all records; never held while a model encodes."""
        try:
            # Publishing takes seconds; whoever holds the lock for longer hangs, and others need not.
            with locked(self.root / ".lock", seconds=_PATIENCE):
                yield
        except OSError as error:
            raise _unwritable(self.root, error) from error

    def remove_stale(self) -> None:
        """Remove what processes that are gone left half-written."""
        for folder in self.folders():
            remove_stale(folder)

    def folders(self) -> list[Path]:
        """The root, and every folder below it that results are written to; none that a link leads to."""
        below = [folder for part in _PARTS for folder in (self.root / part, *self.root.glob(f"{part}/*/"))]
        return [self.root, *(folder for folder in below if not symlink_below(folder, self.root))]

    def _write(self, path: Path, content: bytes) -> None:
        write_inside(self.root, path, content)

    def _remove(self, path: Path) -> None:
        refuse_symlinks(path, self.root)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise HarnessError(
                f"cannot remove {path}: {error.strerror}", hint="pick another --out"
            ) from error

    def _throughput(self, model: Identity) -> Path:
        return self.root / "throughput" / f"{_folder(model)}.json"

    def _path(self, part: str, model: Identity, examination: Examination, ending: str) -> Path:
        return self.root / part / _folder(model) / f"{_slot(examination)}.{ending}"


def no_results(folder: Path) -> HarnessError:
    """The error for a folder without results; it names the folders right below that hold some."""
    below = sorted(str(path.parent) for path in folder.glob("*/records"))
    return HarnessError(
        f"no results in {folder}",
        exists=f"there are some in {', '.join(below[:_SHOWN])}" if below else None,
        hint="give a folder that `harness run --out` wrote",
    )


def encode(record: Any) -> bytes:  # noqa: ANN401 - any dataclass
    """Write a record as indented JSON; NaN becomes null."""
    content = record if isinstance(record, dict) else asdict(record)
    # What a task fitted may be a numpy number or array.
    text = msgspec.json.encode(content, enc_hook=lambda value: value.tolist())
    return msgspec.json.format(text, indent=1) + b"\n"


def sealed(evaluation: Evaluation) -> bytes:
    """Write a record as `encode` does, with a seal: the hash of all else that its file says.

    It shows a change to what nothing else vouches for, such as the scores of another tool.
    """
    content = msgspec.json.decode(encode(evaluation))
    return encode({**content, SEAL: seal(content)})


def seal(content: dict[str, Any]) -> str:
    """Hex SHA-256 of a record's content, its own seal apart: of its values, not of a file's bytes."""
    values = {name: value for name, value in content.items() if name != SEAL}
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def read_record(path: Path) -> tuple[Evaluation, bool | None]:
    """Read a record and whether its seal holds: None for one written before there were seals.

    Raises HarnessError for a file that is not a record, or one of another schema.
    """
    content = _read_json(path)
    evaluation = _convert(path, content, Evaluation)
    return evaluation, content[SEAL] == seal(content) if SEAL in content else None


def _slot(examination: Examination) -> str:
    """Name what is kept apart: `stsb`, `stsb@sample`, `stsb@limit9`; `@` never stands in an escaped name."""
    sample = "@sample" if examination.data == "sample" else ""
    limit = f"@limit{examination.limit}" if examination.limit is not None else ""
    return f"{file_name(examination.task)}{sample}{limit}"


def _folder(model: Identity) -> str:
    name, fingerprint = model
    return f"{file_name(name)}~{file_name(fingerprint[:8])}"


def _read_as(path: Path, kind: type[Kept]) -> Kept:
    """Read a record; raises HarnessError for a file that is none, or of another schema."""
    return _convert(path, _read_json(path), kind)


def _read_json(path: Path) -> Any:  # noqa: ANN401 - JSON
    try:
        return read_json_file(path)
    except HarnessError as error:
        raise HarnessError(f"{path} is not a readable record", exists=str(error), hint=_HINT) from error
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise HarnessError(f"{path} is not a readable record: {error}", hint=_HINT) from error


def _convert(path: Path, content: Any, kind: type[Kept]) -> Kept:  # noqa: ANN401 - JSON
    if isinstance(content, dict) and content.get("schema") != SCHEMA:
        raise HarnessError(f"{path} has schema {content.get('schema')!r}, not {SCHEMA}", hint=_HINT)
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise HarnessError(f"{path} is not a readable record: {error}", hint=_HINT) from error
