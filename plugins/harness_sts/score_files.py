"""Scores in files of their own, one per line, as SemEval publishes them: `STS.gs.X.txt`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness import Finding, HarnessError, Severity
from harness.authoring import Columns, TaskOption, find_files, plural, read_text, verb

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.authoring import TaskDefinition

_TEXTS = ("text1", "text2")
SCORES = TaskOption(str | tuple[str, ...], 'scores = "STS.gs.X.txt": a file with one score per line')
"""The key `scores`: a path or several."""


def score_files(definition: TaskDefinition) -> tuple[Path, ...]:
    """Return the paths and patterns of the key `scores`; none if it is not given.

    Raises HarnessError for a column of scores next to them.
    """
    given = definition.options.get("scores", ())
    paths: tuple[Path, ...] = (given,) if isinstance(given, Path) else given
    if paths and "score" in definition.columns:
        raise HarnessError(
            f"[tasks.{definition.name}]: scores are in files of their own, and in a column",
            hint="give either `scores` or columns = { score = … }",
        )
    return paths


def read_scored(definition: TaskDefinition, scores: Sequence[Path]) -> Columns:
    """Read pairs, and for each the line of the score files that is its own.

    A file of pairs has no header unless the definition says so; its columns are text1 and text2, and what
    follows is not read. An empty line is a missing score: it is refused later, or its pair dropped.
    Raises HarnessError if files of pairs and of scores are not equally many, or differ in their lines.
    """
    pairs = _read_pairs(definition)
    texts = _in_order(pairs)
    files = find_files(scores)
    if len(files) != len(texts):
        raise HarnessError(
            f"[tasks.{definition.name}]: {len(texts)} files of pairs and {len(files)} of scores",
            exists=f"pairs: {_names(texts)}\nscores: {_names(files)}",
            hint="each file of pairs needs its file of scores, in the same order",
        )
    _refuse_other_names(definition, list(texts), scores, files)
    values: list[str] = []
    for file, scored in zip(texts, files, strict=True):
        lines = _lines(scored)
        count = texts[file]
        if len(lines) != count:
            raise HarnessError(
                f"{scored} has {len(lines)} lines, and {file} {count} pairs",
                hint="line N of the scores is that of pair N: is it the file of other pairs?",
            )
        values += lines
    pairs["score"] = list(values)
    return _without_blank(pairs) if definition.options.get("missing") == "drop" else pairs


def _read_pairs(definition: TaskDefinition) -> Columns:
    options = {"header": False, **definition.options}
    # A pair may be dropped for its score only after it has met it.
    options.pop("missing", None)
    columns = dict(definition.columns)
    if options["header"] is False and not definition.templates:
        columns = {name: place for place, name in enumerate(_TEXTS, 1)} | columns
    return replace(definition, options=options, columns=columns).read_rows(_TEXTS, optional=("id", "cluster"))


def _refuse_other_names(
    definition: TaskDefinition, texts: Sequence[Path], scores: Sequence[Path], files: Sequence[Path]
) -> None:
    """Raise HarnessError if two patterns of one star each stand for other names."""
    ours, theirs = _stars(definition.paths or (definition.path,), texts), _stars(scores, files)
    if ours and theirs and ours != theirs:
        raise HarnessError(
            f"[tasks.{definition.name}]: the files of pairs and those of scores have other names",
            exists=f"pairs: {_names(texts)}\nscores: {_names(files)}",
            hint="list both, in the same order",
        )


def _stars(patterns: Sequence[Path], files: Sequence[Path]) -> list[str]:
    """Return what the star of a pattern stands for in each file's name; nothing for other patterns."""
    before, star, after = patterns[0].name.partition("*")
    if len(patterns) > 1 or not star or set(before + after) & set("*?["):
        return []
    return [file.name[len(before) : len(file.name) - len(after)] for file in files]


def _in_order(pairs: Columns) -> dict[Path, int]:
    """Return the number of pairs of each file, in the order in which they were read."""
    counts: dict[Path, int] = {}
    for file, _ in pairs.places:
        counts[file] = counts.get(file, 0) + 1
    return counts


def _lines(path: Path) -> list[str]:
    """Return the lines of a file, empty ones too, but for what follows the last line end."""
    lines = read_text(path).split("\n")
    return [line.strip() for line in (lines if lines[-1].strip() else lines[:-1])]


def _names(files: Iterable[Path]) -> str:
    return ", ".join(file.name for file in files)


def _without_blank(pairs: Columns) -> Columns:
    columns = [pairs[name] for name in (*_TEXTS, "score")]
    kept = [row for row, values in enumerate(zip(*columns, strict=True)) if all(values)]
    count = len(pairs["score"])
    if not kept:
        raise HarnessError(f"empty dataset: none of the {count} pairs has two texts and a score")
    if len(kept) == count:
        return pairs
    lacking = verb(count - len(kept), "lacks a value and was", "lack a value and were")
    evidence = f"{count - len(kept)} of {plural(count, 'row')} {lacking} dropped"
    return pairs.take(
        kept, Finding("rows-dropped", Severity.WARNING, evidence, 'missing = "drop" asked for it')
    )
