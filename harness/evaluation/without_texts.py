"""Keep the texts of rows out of what a run writes: `--no-texts`.

| what | what becomes of it |
|---|---|
| columns of texts in predictions | left out; their hashes stay, so that the content hash is the same |
| ids, clusters, gold, answers | stay; a cell that is a text, or has four words or more, becomes its hash |
| ids, clusters | those that spell a text of their row become hashes too, wherever they stand (`ranked_ids`) |
| `fitted`, findings | what they put into quotation marks goes; one that still has a text in it is withheld |
| errors and tracebacks | exception and place stay; messages are withheld, unless they cannot quote a text |
"""

from __future__ import annotations

import itertools
import re
import traceback
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.evaluation.text_cover import WITHHELD, TextCover, hashed, strings_in, tells
from harness.results.folder import read_record
from harness.results.prediction_files import holds_texts
from harness.results.records import column_hash, content_hash, plain_values
from harness.system.listing import list_files
from harness.tasks.dataset import KeptOut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.evaluation.evaluate import LoadedTask
    from harness.finding import Finding
    from harness.results.folder import ResultsFolder
    from harness.results.records import Evaluation
    from harness.tasks.dataset import Dataset, Predictions
    from harness.tasks.interface import Task

_NAMES = frozenset({"id", "cluster", "gold"})
"""Columns of names and classes, which are no texts by themselves."""
_MOST_CLASSES = 20
"""Maximum number of distinct, repeated single words of a column that has classes and not texts."""
_FRAME = re.compile(
    r'  File "[^"]+", line \d+ in \S+|  File "[^"]+", line \d+, in \S+|(Current t|T)hread 0x[0-9a-f]+.*:'
    r"|Fatal Python error: (Segmentation fault|Aborted|Bus error|Illegal instruction)"
)
"""Lines of a traceback that say where a process was, and nothing of its values."""
_PLACE = re.compile(r"\b(?:row|line) \d{1,9}\b")
"""Where in a file an error is."""
_SHOWN = 3


def without_texts(
    evaluation: Evaluation, predictions: Predictions | None, loaded: LoadedTask
) -> tuple[Evaluation, Predictions | None]:
    """Return a finished evaluation and its predictions without the texts of the rows.

    The key stays, since scores do not depend on it; so does the content hash, unless a cell is covered.
    """
    if loaded.dataset is None:
        raise ValueError("an evaluation without rows")
    texts = TextCover([*_text_columns(loaded.dataset), *_telling_names(loaded.dataset)])
    kept = None if predictions is None else _without_columns(predictions, loaded.dataset, loaded.task, texts)
    return (
        replace(
            evaluation,
            predictions=None if kept is None else content_hash(kept),
            fitted=texts.cover_fitted(evaluation.fitted),
            findings=tuple(texts.cover_finding(finding) for finding in evaluation.findings),
            no_texts=True,
        ),
        kept,
    )


def cover_findings(findings: Iterable[Finding], columns: Iterable[Iterable[Any]]) -> list[Finding]:
    """Return findings on rows, without the texts of their columns."""
    texts = TextCover(list(strings_in(cells)) for cells in columns)
    return [texts.cover_finding(finding) for finding in findings]


def withheld_reason(error: BaseException) -> str:
    """Return what may be said of an error that rows or answers raised: its kind and its place."""
    if isinstance(error, HarnessError) and error.without_texts is not None:
        return str(HarnessError(error.without_texts, hint=error.hint))
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    place = f" in {Path(last.filename).name}, line {last.lineno} ({last.name})" if last else ""
    found = _PLACE.search(error.message) if isinstance(error, HarnessError) else None
    row = f", at {found[0]} of the data" if found else ""
    hint = "hint: a run without --no-texts into a folder of its own (--out DIR) shows it"
    return f"{type(error).__name__}{place}{row}; its message is {WITHHELD}\n  {hint}"


def withheld_trace(error: BaseException) -> str:
    """Return the traceback of an error and of its causes, without their messages."""
    parts: list[str] = []
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        frames = "".join(traceback.format_tb(cause.__traceback__))
        parts.append(f"Traceback (most recent call last):\n{frames}{type(cause).__name__}: {WITHHELD}\n")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\nwhich was raised from or during:\n\n".join(parts)


def frames_only(output: str) -> str:
    """Return the lines of a process's output that say where it was; what else it printed may be a text."""
    lines = [line for line in output.splitlines() if _FRAME.fullmatch(line)]
    return "\n".join([*lines, f"everything else that it printed is {WITHHELD}", ""])


def texts_left(results: ResultsFolder) -> list[str]:
    """Return sentences on files of earlier runs that may hold texts, and on folders that cannot be read."""
    unreadable: list[str] = []
    predictions = list_files(results.root / "predictions", ".parquet", below=True, problems=unreadable)
    paths = [path for path in predictions if holds_texts(path)]
    paths += [path for path in sorted(results.record_paths(unreadable)) if _record_may_hold_texts(path)]
    if not paths:
        return unreadable
    names = [path.relative_to(results.root).as_posix() for path in paths]
    shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    what = f"{len(names)} files of earlier runs in {results.root} may hold texts: {shown}"
    return [*unreadable, f"{what}; run their models and tasks with --no-texts too, or delete them"]


def _record_may_hold_texts(path: Path) -> bool:
    try:
        return not read_record(path)[0].no_texts
    except HarnessError:
        return path.is_file()


def refuse_to_add_texts(results: ResultsFolder) -> None:
    """Raise HarnessError for a folder that texts were kept out of, which a run is not to add some to."""
    if has_results_without_texts(results):
        what = f"texts were kept out of {results.root} (--no-texts), and this run would write some"
        hint = "--no-texts keeps them out again; another --out, or --texts, writes them"
        raise HarnessError(what, hint=hint)


def has_results_without_texts(results: ResultsFolder) -> bool:
    """Whether a run with `--no-texts` wrote into a folder."""
    return any(evaluation.no_texts for evaluation in results.evaluations([]))


def _without_columns(predictions: Predictions, dataset: Dataset, task: Task, texts: TextCover) -> Predictions:
    """Return predictions without columns of texts; columns that a metric reads stay, with texts covered."""
    needed = {name for metric in task.metrics for name in (*metric.columns, metric.where)}
    left_out = dict(predictions.kept_out.columns) if predictions.kept_out else {}
    covered = list(predictions.kept_out.covered) if predictions.kept_out else []
    columns: dict[str, Any] = {}
    units = "cluster" if "cluster" in predictions else "id"
    for name, values in predictions.columns.items():
        if name not in {*_NAMES, "predicted", *needed} and _is_of(values, name, dataset):
            left_out[name] = column_hash(values)
        elif _has_strings(plain := plain_values(values)):
            columns[name] = texts.cover(plain)
            if name == units and columns[name] != plain:
                columns[name] = _in_order(plain)
            covered += [name] if columns[name] != plain and name not in covered else []
        else:
            columns[name] = values
    kept = copy(predictions)
    kept.columns, kept.kept_out = columns, KeptOut(left_out, tuple(covered))
    return kept


def _in_order(names: Sequence[str]) -> list[str]:
    """Return hashes of names that sort as the names do: intervals are drawn in the order of clusters."""
    ordered = sorted(set(names))
    rank = {name: f"{row:0{len(str(len(ordered)))}}" for row, name in enumerate(ordered)}
    return [f"#{rank[name]}{hashed(name)}" for name in names]


def _is_of(values: Any, name: str, dataset: Dataset) -> bool:  # noqa: ANN401 - a column
    """Whether a column is the dataset's, and of strings."""
    return (
        name in dataset
        and all(isinstance(value, str) for value in values)
        and list(values) == list(dataset[name])
    )


def _has_strings(cells: Sequence[Any]) -> bool:
    return any(
        isinstance(cell, str) or (isinstance(cell, list | dict) and _has_strings([*cell])) for cell in cells
    )


def _text_columns(dataset: Dataset) -> Iterator[list[str]]:
    """Yield the strings of each column that holds texts, those in lists too; not names, and not classes.

    A column of a further table is of names where all its cells are ids, as in judgments.
    """
    tables = [dataset, *dataset.tables.values()]
    ids = {name for table in tables for name in table["id"]}
    for table in tables:
        for cells in _prose_columns(table):
            strings = list(strings_in(cells))
            if table is dataset or any(" " in cell for cell in strings) or not ids.issuperset(strings):
                yield strings
        yield from _titles(table)


def _prose_columns(table: Dataset) -> Iterator[Sequence[Any]]:
    """Yield the columns of a table that have strings, and neither names nor classes."""
    for name, values in table.columns.items():
        cells = list(strings_in(values))
        if name not in _NAMES and cells and not _are_classes(cells):
            yield values


def _titles(table: Dataset) -> Iterator[list[str]]:
    """Yield what stands before one column's text in another's, row by row: documents have title and body."""
    columns = [values for values in _prose_columns(table) if all(isinstance(cell, str) for cell in values)]
    for longer, shorter in itertools.permutations(columns, 2):
        pairs = list(zip(longer, shorter, strict=True))
        if all(whole.endswith(part) for whole, part in pairs):
            yield [whole[: len(whole) - len(part)].strip() for whole, part in pairs]


def _telling_names(dataset: Dataset) -> Iterator[list[str]]:
    """Yield the ids and clusters that spell a text of their own row, in any table.

    Those that contain a text or title of the row, and those of two words or more that are a part of one. Any
    character that is no letter or digit separates words: `the_secret_plan-0` contains `The secret plan.`
    """
    for table in (dataset, *dataset.tables.values()):
        columns = [*_prose_columns(table), *_titles(table)]
        for names in [table[name] for name in ("id", "cluster") if name in table]:
            yield [
                name
                for row, name in enumerate(names)
                if isinstance(name, str)
                and any(tells(name, text) for cells in columns for text in strings_in([cells[row]]))
            ]


def _are_classes(cells: Sequence[str]) -> bool:
    distinct = set(cells)
    single = all(len(cell.split()) <= 1 for cell in distinct)
    return single and len(distinct) <= min(_MOST_CLASSES, len(cells) / 2)
