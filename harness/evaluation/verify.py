"""Look at every file that runs wrote into a results folder; nothing is changed, and no model is loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.evaluation.journal import read_runs
from harness.evaluation.rescore import differences
from harness.results.folder import no_results, read_record
from harness.results.predictions import read_predictions
from harness.results.publish import published
from harness.results.records import content_hash
from harness.system.atomic import stale_files
from harness.system.paths import accessible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.results.folder import Results
    from harness.results.records import Evaluation
    from harness.tasks.interface import Task

_AGAIN = "restore the file, or run the model again with --fresh"
_WHOLE = "delete it; `harness run` computes what is missing, and only that"
_PUBLISH = "give the `harness run` command again: it publishes what the records say"
_ENDINGS = {
    "records": {".json"},
    "errors": {".json", ".txt"},
    "predictions": {".parquet"},
    "throughput": {".json"},
    "runs": {".json"},
}
_BOARDS = ("leaderboard.csv", "leaderboard.md", "throughput.csv")


def verify(results: Results, tasks: Mapping[str, Task]) -> VerifyReport:
    """Hold every record against its seal, its place and its predictions, and the boards against all records.

    tasks: where metrics are found by name; a mean needs none.
    Raises HarnessError for a folder without a record.
    """
    root, found = results.root, VerifyReport()
    paths = sorted([*root.glob("records/*/*.json"), *root.glob("errors/*/*.json")])
    if not paths:
        raise no_results(root)
    vouched: set[Path] = set()
    for path in paths:
        evaluation = _check_record(results, path, found)
        if evaluation is not None:
            vouched.add(_companion(results, evaluation))
            if evaluation.predictions is not None:
                _check_predictions(results, path, evaluation, tasks, found)
    _check_files(results, vouched, found)
    _check_boards(results, found)
    _check_journals(results, found)
    return found


def _check_record(results: Results, path: Path, found: VerifyReport) -> Evaluation | None:
    """Read a record, and hold it against its seal and its place."""
    name = _name(results, path)
    try:
        evaluation, seal_holds = read_record(path)
    except HarnessError as error:
        why = f"{error.message}: {error.exists}" if error.exists else error.message
        found.fault(name, why.replace(f"{path} ", ""), _WHOLE)
        return None
    found.records += seal_holds is not False
    found.sealed += seal_holds is True
    if seal_holds is None:
        found.skip(name, "it has no seal: it was written before records had one")
    elif not seal_holds:
        found.fault(name, "its seal does not hold: it was changed after it was written", _AGAIN)
    belongs = results.record_path(evaluation)
    if belongs != path:
        found.fault(name, f"its content belongs in {_name(results, belongs)}", "move it back, or delete it")
    if evaluation.status == "ok" and evaluation.predictions is None:
        found.skip(name, "another tool scored it as a whole: there are no predictions to compute it from")
    return evaluation


def _companion(results: Results, evaluation: Evaluation) -> Path:
    """The file that lies beside a record: its predictions, or the traceback of a failure."""
    failed = evaluation.status == "error"
    return results.trace_path(evaluation) if failed else results.predictions_path(evaluation)


def _check_predictions(
    results: Results, record: Path, evaluation: Evaluation, tasks: Mapping[str, Task], found: VerifyReport
) -> None:
    """Hash predictions again, and compute their record's scores from them."""
    path = results.predictions_path(evaluation)
    name, told = _name(results, path), evaluation.predictions or ""
    try:
        if not accessible(path).is_file():
            found.fault(_name(results, record), f"its predictions are not there: {name}", _AGAIN)
            return
        predictions, footer = read_predictions(path)
        hashed = content_hash(predictions)
    except (HarnessError, TypeError) as error:
        found.fault(name, str(error), _WHOLE)
        return
    if footer != told:
        found.fault(name, f"its footer says {footer[:8] or 'nothing'}, its record {told[:8]}", _WHOLE)
    if hashed != told:
        found.fault(name, f"its values hash to {hashed[:8]}, its record says {told[:8]}", _AGAIN)
    elif footer == told:
        found.predictions += 1
    for score in evaluation.scores:
        try:
            differing = differences(evaluation, score, predictions, tasks)
        except HarnessError as error:
            found.skip(_name(results, record), error.message)
            continue
        found.scores += not differing
        for what in differing:
            found.fault(_name(results, record), f"{score.metric}: {what}", _AGAIN)


def _check_files(results: Results, vouched: set[Path], found: VerifyReport) -> None:
    """Report what is beside the records and belongs to none: links, halves, orphans, strangers."""
    root = results.root
    halves = [path for folder in results.folders() for path in stale_files(folder)]
    for path in sorted(halves):
        found.fault(_name(results, path), "a process that is gone left it half-written", "delete it")
    for part, endings in _ENDINGS.items():
        try:
            for path in _files(root / part):
                _check_file(results, path, vouched, endings, found)
        except OSError as error:
            where = f"{error.filename} cannot be looked at: {error.strerror}"
            found.fault(part, where, "let yourself read it, or see to its disk")


def _check_file(
    results: Results, path: Path, vouched: set[Path], endings: set[str], found: VerifyReport
) -> None:
    name = _name(results, path)
    if path.is_symlink():
        found.fault(name, "it is a link, and may lead anywhere", "put the file itself there")
    elif path.suffix not in {*endings, ".tmp"}:
        found.fault(name, f"no run writes such a file into {name.partition('/')[0]}/", "move it elsewhere")
    elif path.suffix in (".parquet", ".txt") and path not in vouched:
        found.fault(name, "no record speaks of it", "delete it, or finish the run that it is of")


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files and the links below a folder, without following any, however deep they lie."""
    waiting = [folder] if folder.is_dir() or folder.is_symlink() else []
    while waiting:
        path = waiting.pop()
        if path.is_dir() and not path.is_symlink():
            waiting += sorted(path.iterdir(), reverse=True)
        else:
            yield path


def _check_boards(results: Results, found: VerifyReport) -> None:
    """Hold what was published against what would be published now, byte for byte."""
    try:
        expected = published(results, [])  # a record that cannot be read was reported
    except HarnessError as error:
        found.fault("throughput", error.message, "delete it; the model is timed again")
        return
    except Exception as error:  # noqa: BLE001 - a record that was changed may hold what no run writes
        found.fault("records", f"no leaderboard can be made of them: {type(error).__name__}: {error}", _AGAIN)
        return
    for name in _BOARDS:
        try:
            there = _read_start(results.root / name, len(expected.get(name, b"")) + 1)
        except OSError as error:
            found.fault(name, f"it cannot be read: {error.strerror}", _PUBLISH)
            continue
        if there != expected.get(name):
            found.fault(name, _difference(there, expected.get(name)), _PUBLISH)


def _read_start(path: Path, size: int) -> bytes | None:
    """So many bytes of a file: one more than expected show that it differs, however large it is."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(size)


def _difference(there: bytes | None, expected: bytes | None) -> str:
    if there is None:
        return "it is not there"
    if expected is None:
        return "there is nothing that it could be made of"
    lines = zip(there.split(b"\n"), expected.split(b"\n"), strict=False)
    first = next((number for number, (one, other) in enumerate(lines, 1) if one != other), 0)
    return f"{f'line {first}' if first else 'its length'} is not what the records say"


def _check_journals(results: Results, found: VerifyReport) -> None:
    """Report journals that cannot be read; and that a run is not over, which explains what is half there."""
    unreadable: list[str] = []
    for run in read_runs(results, unreadable):
        if run.state == "running":
            found.skip(f"runs/{run.name}.json", "this run is not over: verify again when it is")
    for sentence in unreadable:
        found.fault("runs", sentence, "delete it")


def _name(results: Results, path: Path) -> str:
    return path.relative_to(results.root).as_posix()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyError:
    """Something that does not hold."""

    path: str
    """Relative to the results folder."""
    what: str
    """One sentence: what is there, and what should be."""
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchecked:
    """Something that could not be looked at again, which is no fault of the folder."""

    path: str
    why: str


@dataclass
class VerifyReport:
    """What was looked at in one results folder, and what came of it."""

    records: int = 0
    """Records that could be read, and whose seal holds where they have one."""
    sealed: int = 0
    """Records whose own hash was there, and held."""
    predictions: int = 0
    """Files whose values were hashed again, and are their record's."""
    scores: int = 0
    """Scores that were computed again, and are their record's, interval and counts included."""
    faults: list[VerifyError] = field(default_factory=list)
    unchecked: list[Unchecked] = field(default_factory=list)

    def fault(self, path: str, what: str, remedy: str) -> None:
        """Note something that does not hold."""
        self.faults.append(VerifyError(path=path, what=what, remedy=remedy))

    def skip(self, path: str, why: str) -> None:
        """Note something that could not be looked at."""
        self.unchecked.append(Unchecked(path=path, why=why))
