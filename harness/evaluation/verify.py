"""Verify every file that runs wrote into a results folder; nothing is changed, and no model is loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.evaluation.journal import read_runs
from harness.evaluation.keys import source_hash
from harness.evaluation.score_check import differences
from harness.render import told_apart
from harness.results.folder import no_results, read_record
from harness.results.prediction_files import read_predictions
from harness.results.publish import leaderboard_files
from harness.results.records import content_hash
from harness.results.soundness import declared_fault, record_fault, same_source_fault
from harness.system.atomic import stale_files
from harness.system.paths import accessible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.results.folder import ResultsFolder
    from harness.results.records import Evaluation
    from harness.tasks.interface import Task

_AGAIN = "restore the file, or run the model again with --fresh"
_WHOLE = "delete it; `harness run` computes what is missing, and only that"
_PUBLISH = "run the `harness run` command again: it publishes the records"
_ENDINGS = {
    "records": {".json"},
    "errors": {".json", ".txt"},
    "predictions": {".parquet"},
    "throughput": {".json"},
    "runs": {".json"},
}
_BOARDS = ("leaderboard.csv", "leaderboard.md", "throughput.csv")


def verify(results: ResultsFolder, tasks: Mapping[str, Task]) -> VerifyReport:
    """Verify each record by its seal, its path and its predictions, and the leaderboards by all records.

    tasks: by name; their metrics are those that records name. A mean needs none.
    Raises HarnessError for a folder without a record.
    """
    root, report = results.root, VerifyReport()
    unreadable: list[str] = []  # `_check_files` reports them
    paths = sorted(results.record_paths(unreadable))
    if not paths:
        raise HarnessError(unreadable[0]) if unreadable else no_results(root)
    companions: set[Path] = set()
    for path in paths:
        evaluation = _check_record(results, path, report)
        if evaluation is not None:
            companions.add(_companion(results, evaluation))
            _check_declared(_name(results, path), evaluation, tasks, report)
            _skip_what_cannot_be_repeated(_name(results, path), evaluation, report)
            if evaluation.predictions is not None:
                _check_predictions(results, path, evaluation, tasks, report)
    _check_files(results, companions, report)
    _check_boards(results, report)
    _check_journals(results, report)
    return report


def _check_record(results: ResultsFolder, path: Path, report: VerifyReport) -> Evaluation | None:
    """Read a record, and verify its seal and its path."""
    name = _name(results, path)
    try:
        evaluation, seal_holds = read_record(path)
    except HarnessError as error:
        why = f"{error.message}: {error.exists}" if error.exists else error.message
        report.fault(name, why.replace(f"{path} ", ""), _WHOLE)
        return None
    report.records += seal_holds is True
    report.sealed += seal_holds is True
    if fault := record_fault(evaluation, seal_holds):
        report.fault(name, f"it {fault}", _AGAIN)
    belongs = results.record_path(evaluation)
    if belongs != path:
        report.fault(name, f"its content belongs in {_name(results, belongs)}", "move it back, or delete it")
    return evaluation


def _check_declared(
    name: str, evaluation: Evaluation, tasks: Mapping[str, Task], report: VerifyReport
) -> None:
    """Verify that a record's metrics are those of its task, where that is loaded."""
    task = tasks.get(evaluation.examination.task)
    fault = declared_fault(evaluation, task)
    if fault is None and task is not None and source_hash(task) == evaluation.examination.source:
        fault = same_source_fault(evaluation, task)
    if fault is not None:
        report.fault(name, fault, _AGAIN)
    elif evaluation.status == "ok" and evaluation.predictions is None:
        report.skip(name, "another tool scored it as a whole: there are no predictions to compute it from")


def _skip_what_cannot_be_repeated(name: str, evaluation: Evaluation, report: VerifyReport) -> None:
    """Say of which records nothing here can compute the model's answers again."""
    facts = evaluation.candidate.facts
    if facts is not None and (facts.remote or not facts.identified):
        what = "is on another machine" if facts.remote else "is unidentified"
        report.skip(name, f"its model {what}: its answers cannot be computed again from what is here")


def _companion(results: ResultsFolder, evaluation: Evaluation) -> Path:
    """Return the path of a record's predictions, or of a failure's traceback."""
    failed = evaluation.status == "error"
    return results.trace_path(evaluation) if failed else results.predictions_path(evaluation)


def _check_predictions(
    results: ResultsFolder,
    record: Path,
    evaluation: Evaluation,
    tasks: Mapping[str, Task],
    report: VerifyReport,
) -> None:
    """Hash predictions again, and compute their record's scores from them."""
    path = results.predictions_path(evaluation)
    name, expected = _name(results, path), evaluation.predictions or ""
    try:
        if not accessible(path).is_file():
            report.fault(_name(results, record), f"its predictions are missing: {name}", _AGAIN)
            return
        predictions, footer = read_predictions(path)
        actual = content_hash(predictions)
    except (HarnessError, TypeError) as error:
        report.fault(name, str(error), _WHOLE)
        return
    if footer != expected:
        said, recorded = told_apart(footer or "", expected)
        report.fault(name, f"its footer says {said or 'nothing'}, its record {recorded}", _WHOLE)
    if actual != expected:
        found, recorded = told_apart(actual, expected)
        report.fault(name, f"its values hash to {found}, its record says {recorded}", _AGAIN)
    elif footer == expected:
        report.predictions += 1
    if predictions.kept_out is not None and predictions.kept_out.columns:
        report.skip(
            name, "texts were kept out (--no-texts): the hashes of their columns are taken as they are"
        )
    for score in evaluation.scores:
        try:
            differing = differences(evaluation, score, predictions, tasks)
        except HarnessError as error:
            report.skip(_name(results, record), error.message)
            continue
        report.scores += not differing
        for difference in differing:
            report.fault(_name(results, record), f"{score.metric}: {difference}", _AGAIN)


def _check_files(results: ResultsFolder, companions: set[Path], report: VerifyReport) -> None:
    """Report files without a record: symlinks, half-written files, orphans, files that no run writes."""
    root = results.root
    stale = [path for folder in results.folders() for path in stale_files(folder)]
    for path in sorted(stale):
        report.fault(_name(results, path), "a process that ended left it half-written", "delete it")
    for part, endings in _ENDINGS.items():
        try:
            for path in _files(root / part):
                _check_file(results, path, companions, endings, report)
        except OSError as error:
            what = f"cannot read {error.filename}: {error.strerror}"
            report.fault(part, what, "give yourself permission to read it, or check its disk")


def _check_file(
    results: ResultsFolder, path: Path, companions: set[Path], endings: set[str], report: VerifyReport
) -> None:
    name = _name(results, path)
    if path.is_symlink():
        report.fault(name, "it is a symlink, and may point anywhere", "replace it with the file")
    elif path.suffix not in {*endings, ".tmp"}:
        report.fault(name, f"no run writes such a file into {name.partition('/')[0]}/", "move it elsewhere")
    elif path.suffix in (".parquet", ".txt") and path not in companions:
        report.fault(name, "no record refers to it", "delete it, or finish the run that wrote it")


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files and symlinks below a folder at any depth; no symlink is followed."""
    waiting = [folder] if folder.is_dir() or folder.is_symlink() else []
    while waiting:
        path = waiting.pop()
        if path.is_dir() and not path.is_symlink():
            waiting += sorted(path.iterdir(), reverse=True)
        else:
            yield path


def _check_boards(results: ResultsFolder, report: VerifyReport) -> None:
    """Compare the published files with what would be published now, byte by byte."""
    try:
        expected = leaderboard_files(results, [])  # a record that cannot be read was reported
    except HarnessError as error:
        report.fault("throughput", error.message, "delete it; the model is timed again")
        return
    except Exception as error:  # noqa: BLE001 - a record that was changed may hold what no run writes
        report.fault(
            "records", f"no leaderboard can be made of them: {type(error).__name__}: {error}", _AGAIN
        )
        return
    for name in _BOARDS:
        try:
            actual = _read_start(results.root / name, len(expected.get(name, b"")) + 1)
        except OSError as error:
            report.fault(name, f"it cannot be read: {error.strerror}", _PUBLISH)
            continue
        if actual != expected.get(name):
            report.fault(name, _difference(actual, expected.get(name)), _PUBLISH)


def _read_start(path: Path, size: int) -> bytes | None:
    """Return the first `size` bytes of a file, to compare one of any size; None where it does not exist."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(size)


def _difference(actual: bytes | None, expected: bytes | None) -> str:
    if actual is None:
        return "it is missing"
    if expected is None:
        return "it should not exist: there is nothing to publish in it"
    lines = zip(actual.split(b"\n"), expected.split(b"\n"), strict=False)
    first = next((number for number, (line, other) in enumerate(lines, 1) if line != other), 0)
    return f"{f'line {first}' if first else 'its length'} differs from the records"


def _check_journals(results: ResultsFolder, report: VerifyReport) -> None:
    """Report unreadable journals, and runs that have not finished: they explain incomplete results."""
    unreadable: list[str] = []
    for run in read_runs(results, unreadable):
        if run.state == "running":
            report.skip(f"runs/{run.name}.json", "this run has not finished: verify again when it has")
    for sentence in unreadable:
        report.fault("runs", sentence, "delete it")


def _name(results: ResultsFolder, path: Path) -> str:
    return path.relative_to(results.root).as_posix()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyError:
    """A file that does not verify."""

    path: str
    """Relative to the results folder."""
    what: str
    """One sentence: what is there, and what should be there."""
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchecked:
    """A file that could not be verified, which is not an error of the folder."""

    path: str
    why: str


@dataclass
class VerifyReport:
    """The counts and faults of one results folder."""

    records: int = 0
    """Records that could be read, and whose seal matches."""
    sealed: int = 0
    """Records with a seal, the hash of their own content, that matches."""
    predictions: int = 0
    """Files of predictions whose hash is their record's."""
    scores: int = 0
    """Recomputed scores that are their record's, interval and counts included."""
    faults: list[VerifyError] = field(default_factory=list)
    unchecked: list[Unchecked] = field(default_factory=list)

    def fault(self, path: str, what: str, remedy: str) -> None:
        """Add a file that does not verify."""
        self.faults.append(VerifyError(path=path, what=what, remedy=remedy))

    def skip(self, path: str, why: str) -> None:
        """Add a file that could not be verified."""
        self.unchecked.append(Unchecked(path=path, why=why))
