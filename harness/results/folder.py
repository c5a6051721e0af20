"""A results folder: for each (model, task) a JSON record and a parquet file of predictions; atomic writes."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from harness.errors import HarnessError, shortened
from harness.results.prediction_files import read_content_hash, to_parquet
from harness.results.records import SCHEMA, Evaluation, Throughput
from harness.results.soundness import as_broken, record_fault
from harness.system.atomic import locked, remove_stale, write_error, write_inside
from harness.system.limits import read_json_file
from harness.system.listing import list_files
from harness.system.paths import accessible, file_name, refuse_symlinks, shown_path, symlink_below
from harness.system.redact import redact
from harness.system.signals import defer_signals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.results.records import Examination
    from harness.tasks.dataset import Predictions

    Identity = tuple[str, str]
    """A model's name and fingerprint."""

AnyRecord = TypeVar("AnyRecord", Evaluation, Throughput)


_PARTS = ("records", "predictions", "errors", "throughput", "runs")
_SEAL = "seal"
"""Key of the seal in a record's file: a checksum of the record's content. `Evaluation` does not have it."""
_HINT = "delete it; a run that needs it computes it again"
_SHOWN = 5
"""Maximum number of other folders that an error names."""
_LONGEST_TRACE = 200_000
"""Maximum number of characters of a traceback's file."""
_PATIENCE = 60.0
"""Seconds to wait for another process that writes a leaderboard."""


class ResultsFolder:
    """A results folder: `records/`, `predictions/`, `throughput/`, `errors/`, `runs/`.

    Records of a sample, of a limited run and of a full run do not replace each other. A failure goes to
    `errors/` and leaves an earlier success where it is.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, model: Identity, examination: Examination) -> Evaluation | None:
        """Read a finished record; None where there is none.

        Raises HarnessError for a file that is not a record, is of another schema or does not hold, and for a
        path that cannot be accessed.
        """
        return self._read_sound(accessible(self.slot(model, examination)))

    def failure(self, model: Identity, examination: Examination) -> Evaluation | None:
        """Read the ERROR record of the last failure; None where there is none.

        Raises HarnessError as `read` does.
        """
        return self._read_sound(accessible(self._path("errors", model, examination, "json")))

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
            self._write(self.trace_path(evaluation), _short(redact(trace)).encode(errors="replace"))
        self._write(self.record_path(evaluation), sealed(evaluation))

    def forget_failure(self, evaluation: Evaluation) -> None:
        """Remove the ERROR record of an evaluation that is now finished."""
        # A task that failed before it loaded its data may be filed as one with its own data.
        for data in ("sample", "files", "hub"):
            examination = replace(evaluation.examination, data=data)
            for ending in ("json", "txt"):
                self._remove(self._path("errors", evaluation.model, examination, ending))

    def has_predictions(self, evaluation: Evaluation) -> bool:
        """Whether the predictions that a record vouches for exist, and are not of another run."""
        return (
            evaluation.predictions is None
            or read_content_hash(self.predictions_path(evaluation)) == evaluation.predictions
        )

    def slot(self, model: Identity, examination: Examination) -> Path:
        """Return the path for the record of a finished evaluation, whether or not it exists."""
        return self._path("records", model, examination, "json")

    def record_path(self, evaluation: Evaluation) -> Path:
        """Return the path of an evaluation's record; failures are in `errors/`."""
        part = "records" if evaluation.status == "ok" else "errors"
        return self._path(part, evaluation.model, evaluation.examination, "json")

    def predictions_path(self, evaluation: Evaluation) -> Path:
        """Return the path of an evaluation's predictions."""
        return self._path("predictions", evaluation.model, evaluation.examination, "parquet")

    def trace_path(self, evaluation: Evaluation) -> Path:
        """Return the path of a failed evaluation's traceback."""
        return self._path("errors", evaluation.model, evaluation.examination, "txt")

    def evaluations(self, problems: list[str] | None = None) -> list[Evaluation]:
        """Read all records, in an order of their content alone; a failure hides an earlier success.

        A record that does not hold is returned as broken, without its scores: see `soundness`.
        problems: gets one sentence for each of these, and for each file that is not a record, or lies where
        another belongs, and each folder that cannot be read; when it is None, the first of the latter kinds
        raises HarnessError.
        """
        latest: dict[tuple[str, ...], Evaluation] = {}
        for path, read, fault in self.read_all(problems):
            if isinstance(read, HarnessError):
                if problems is None:
                    raise read
                problems.append(read.message)
                continue
            if fault is not None and problems is not None:
                problems.append(f"{shown_path(path)} {fault}; it is not ranked")
            latest[*read.model, file_stem(read.examination)] = read
        return [latest[key] for key in sorted(latest, key=lambda key: (latest[key].examination.task, *key))]

    def read_all(
        self, problems: list[str] | None = None
    ) -> Iterator[tuple[Path, Evaluation | HarnessError, str | None]]:
        """Yield each record's path, content and what does not hold in it, failures last.

        The content is the error for a file that is not a record, or lies where another belongs.
        problems: as for `evaluations`, of folders.
        """
        # Errors come after records: `sorted` would put them first.
        paths = self.record_paths(problems)
        for path in sorted(paths, key=lambda path: (path.parts[-3] == "errors", path)):
            try:
                yield path, *self._read_checked(path)
            except HarnessError as error:
                if os.path.lexists(path):  # else another process has just finished what had failed
                    yield path, error, None

    def _read_checked(self, path: Path) -> tuple[Evaluation, str | None]:
        """Read a record, as broken where it does not hold, and why; raises HarnessError for one elsewhere."""
        evaluation, seal_holds = read_record(path)
        self._refuse_elsewhere(evaluation, path)
        fault = record_fault(evaluation, seal_holds)
        return (evaluation if fault is None else as_broken(evaluation, f"its record {fault}")), fault

    def _read_sound(self, path: Path) -> Evaluation | None:
        """Read a record that holds; None where there is none. Raises HarnessError for another."""
        if not path.is_file():
            return None
        evaluation, seal_holds = read_record(path)
        if fault := record_fault(evaluation, seal_holds):
            raise HarnessError(f"{shown_path(path)} {fault}", hint=_HINT)
        self._refuse_elsewhere(evaluation, path)
        return evaluation

    def _refuse_elsewhere(self, evaluation: Evaluation, path: Path) -> None:
        """Raise HarnessError for a record that does not lie where its content belongs."""
        belongs = self.record_path(evaluation)
        if belongs != path:
            where = belongs.relative_to(self.root)
            raise HarnessError(f"{shown_path(path)} is not in its place: its content belongs in {where}")

    def record_paths(self, problems: list[str] | None = None) -> list[Path]:
        """Return the files of all records, failures last; problems: as for `evaluations`, of folders."""
        parts = (self.root / "records", self.root / "errors")
        return [path for part in parts for path in list_files(part, ".json", below=True, problems=problems)]

    def write_throughput(self, throughput: Throughput) -> None:
        """Write a model's speed; it replaces the last one."""
        model = throughput.model, throughput.fingerprint
        self._write(self._throughput(model), encode(throughput))

    def has_throughput(self, model: Identity) -> bool:
        """Whether a speed of the model is here."""
        return accessible(self._throughput(model)).is_file()

    def throughputs(self, problems: list[str] | None = None) -> list[Throughput]:
        """Read all speeds, sorted by model.

        problems: gets a sentence for each file that is not one; if None, the first raises HarnessError.
        """
        speeds = []
        for path in list_files(self.root / "throughput", ".json", problems=problems):
            try:
                speeds.append(_read_as(path, Throughput))
            except HarnessError as error:
                if problems is None:
                    raise
                problems.append(error.message)
        return speeds

    def write_run(self, name: str, content: dict[str, Any]) -> None:
        """Write the journal of a run: what it ran on and what it did."""
        self._write(self.root / "runs" / f"{file_name(name)}.json", encode(content))

    @property
    def begun(self) -> bool:
        """Whether results may have been written here; a leaderboard is written only then."""
        return any((self.root / part).is_dir() for part in ("records", "errors", "throughput"))

    def run_paths(self, unreadable: list[str]) -> list[Path]:
        """Return the paths of the journals of runs; unreadable: gets a sentence if they cannot be listed."""
        return list_files(self.root / "runs", ".json", problems=unreadable)

    @contextmanager
    def publishing_lock(self) -> Iterator[None]:
        """Lock the leaderboards, which are written from all records; never held while a model encodes."""
        try:
            # Publishing takes seconds: a process that holds the lock for longer hangs.
            with locked(self.root / ".lock", seconds=_PATIENCE):
                yield
        except OSError as error:
            raise write_error(self.root, error) from error

    def remove_stale(self) -> None:
        """Remove partial files of processes that have ended."""
        for folder in self.folders():
            remove_stale(folder)

    def folders(self) -> list[Path]:
        """Return the root, and all folders below it that results are written to, but no symbolic links."""
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
        return self.root / "throughput" / f"{model_folder(model)}.json"

    def _path(self, part: str, model: Identity, examination: Examination, ending: str) -> Path:
        return self.root / part / model_folder(model) / f"{file_stem(examination)}.{ending}"


def _short(trace: str) -> str:
    """Return a traceback without the middle of lines and of a whole that no one can read."""
    return shortened("\n".join(shortened(line) for line in trace.split("\n")), _LONGEST_TRACE)


def no_results(folder: Path) -> HarnessError:
    """Return the error for a folder without results; it names subfolders with results."""
    below = sorted(shown_path(path.parent) for path in folder.glob("*/records"))
    return HarnessError(
        f"no results in {shown_path(folder)}",
        exists=f"there are some in {', '.join(below[:_SHOWN])}" if below else None,
        hint="give a folder that `harness run --out` wrote",
    )


def encode(record: Any) -> bytes:  # noqa: ANN401 - any dataclass
    """Return a record as indented JSON without secrets (`redact`); NaN becomes null."""
    content = record if isinstance(record, dict) else asdict(record)
    # `fitted` may hold numpy numbers and arrays.
    text = msgspec.json.encode(content, enc_hook=lambda value: value.tolist()).decode()
    return msgspec.json.format(redact(text).encode(), indent=1) + b"\n"


def sealed(evaluation: Evaluation) -> bytes:
    """Return a record as `encode` does, with its seal: a checksum of the record's content.

    It detects changes that nothing else does, such as to scores of another tool.
    """
    content = msgspec.json.decode(encode(evaluation))
    return encode({**content, _SEAL: seal(content)})


def seal(content: dict[str, Any]) -> str:
    """Return the checksum of a record's content: hex SHA-256 of all values but the seal, as sorted JSON."""
    values = {name: value for name, value in content.items() if name != _SEAL}
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def read_record(path: Path) -> tuple[Evaluation, bool | None]:
    """Read a record, and whether its seal is the checksum of its content; None for a record without one.

    Raises HarnessError for a file that is not a record, or is of another schema.
    """
    content = _read_json(path)
    evaluation = _convert(path, content, Evaluation)
    return evaluation, content[_SEAL] == seal(content) if _SEAL in content else None


def file_stem(examination: Examination) -> str:
    """Return a name such as `stsb`, `stsb@sample` or `stsb@hub@limit9`; an escaped name has no `@`."""
    sample = f"@{examination.data}" if examination.data in ("sample", "hub") else ""
    limit = f"@limit{examination.limit}" if examination.limit is not None else ""
    return f"{file_name(examination.task)}{sample}{limit}"


def model_folder(model: Identity) -> str:
    """Return the name of a model's folder, such as `minilm~0a1b2c3d`."""
    name, fingerprint = model
    return f"{file_name(redact(name))}~{file_name(fingerprint[:8])}"


def _read_as(path: Path, kind: type[AnyRecord]) -> AnyRecord:
    """Read a record; raises HarnessError for a file that is not one, or is of another schema."""
    return _convert(path, _read_json(path), kind)


def _read_json(path: Path) -> Any:  # noqa: ANN401 - JSON
    try:
        return read_json_file(path)
    except HarnessError as error:
        raise HarnessError(
            f"{shown_path(path)} is not a readable record", exists=str(error), hint=_HINT
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise HarnessError(f"{shown_path(path)} is not a readable record: {error}", hint=_HINT) from error


def _convert(path: Path, content: Any, kind: type[AnyRecord]) -> AnyRecord:  # noqa: ANN401 - JSON
    if isinstance(content, dict) and content.get("schema") != SCHEMA:
        raise HarnessError(
            f"{shown_path(path)} has schema {content.get('schema')!r}, not {SCHEMA}", hint=_HINT
        )
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise HarnessError(f"{shown_path(path)} is not a readable record: {error}", hint=_HINT) from error
