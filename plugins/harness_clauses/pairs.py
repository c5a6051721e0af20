"""Rows made of contracts: clauses with a hypothesis each, and questions with the spans to search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import Dataset, Finding, HarnessError, Severity, read_rows
from harness.authoring import as_texts, plural, verb
from harness_clauses.bm25 import Spans
from harness_clauses.release import CONTRADICTION, ENTAILMENT, Contract, Release

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

GOLD = {ENTAILMENT: 1, CONTRADICTION: 0}
_CSV_GOLD = {"0": 1, "1": 0, "2": None}
"""Labels of train-pairs.csv: 0 is Entailment, 1 is Contradiction, 2 is NotMentioned."""


def evidence_pairs(release: Release) -> Dataset:
    """Return one row per Entailment (gold 1) or Contradiction (0), with its evidence as the clause."""
    answered = [
        (contract, annotation)
        for contract in release.contracts
        for annotation in contract.annotations
        if annotation.choice in GOLD
    ]
    columns: dict[str, Sequence[Any]] = {
        "id": [f"{contract.id}/{annotation.hypothesis}" for contract, annotation in answered],
        "cluster": [contract.id for contract, _ in answered],
        "clause": [contract.evidence(annotation) for contract, annotation in answered],
        "hypothesis": [release.hypotheses[annotation.hypothesis] for _, annotation in answered],
        "gold": [GOLD[annotation.choice] for _, annotation in answered],
    }
    return drop_blank_clauses(columns, release.path)


def chosen_pairs(release: Release) -> Dataset:
    """Return one row per annotation, with its choice as gold and the spans that BM25 selects as the clause.

    The column `spans` has the positions of the selected spans. Evidence is not used.
    """
    chosen = [row for contract in release.contracts for row in _choose_spans(contract, release.hypotheses)]
    names = ("id", "cluster", "clause", "hypothesis", "gold", "spans")
    return drop_blank_clauses({name: [row[name] for row in chosen] for name in names}, release.path)


def csv_pairs(path: Path) -> Dataset:
    """Read `train-pairs.csv` without its NotMentioned rows, whose clauses are random spans."""
    rows = read_rows(path, ("concatenated_spans", "hypothesis", "label"))
    unknown = next((value for value in rows["label"] if value not in _CSV_GOLD), None)
    if unknown is not None:
        raise HarnessError(
            f"{path}: unknown label {unknown!r}", exists="0 Entailment, 1 Contradiction, 2 NotMentioned"
        )
    clauses, hypotheses = (as_texts(rows[name], name, rows) for name in ("concatenated_spans", "hypothesis"))
    kept = [row for row, value in enumerate(rows["label"]) if _CSV_GOLD[value] is not None]
    columns: dict[str, Sequence[Any]] = {
        "id": [str(row) for row in kept],
        "clause": [clauses[row] for row in kept],
        "hypothesis": [hypotheses[row] for row in kept],
        "gold": [_CSV_GOLD[rows["label"][row]] for row in kept],
    }
    return drop_blank_clauses(columns, path, *rows.findings)


def drop_blank_clauses(columns: Mapping[str, Sequence[Any]], path: Path, *findings: Finding) -> Dataset:
    """Return the rows whose clause is not blank as a dataset; a finding counts the others.

    findings: those of reading.

    Raises HarnessError if none are left.
    """
    kept = [row for row, clause in enumerate(columns["clause"]) if clause.strip()]
    if not kept:
        raise HarnessError(f"empty dataset: {path} has no clause that answers a hypothesis")
    dropped = len(columns["clause"]) - len(kept)
    finding = Finding(
        "blank-clauses",
        Severity.NOTE,
        f"{dropped} of {plural(len(columns['clause']), 'row')} of {path.name}"
        f" {verb(dropped, 'has a blank clause and was', 'have a blank clause and were')} dropped",
    )
    rows = {name: [values[row] for row in kept] for name, values in columns.items()}
    return Dataset(rows, findings=(*findings, *((finding,) if dropped else ())))


def join_splits(evaluated: Dataset, fitted_on: Mapping[str, Dataset], *findings: Finding) -> Dataset:
    """Return the evaluated split with those to fit on as its tables, and the findings of all."""
    fitted = (finding for table in fitted_on.values() for finding in table.findings)
    return Dataset(evaluated.columns, fitted_on, (*evaluated.findings, *fitted, *findings))


def questions(release: Release) -> Dataset:
    """Return one row per Entailment or Contradiction: a hypothesis, and the spans that are its evidence.

    Spans are named by their position; the table `spans` has those that are not blank. Questions
    whose evidence is blank are dropped, and a finding counts them.
    """
    rows, dropped = [], 0
    for contract in release.contracts:
        non_blank = set(contract.non_blank())
        for annotation in (note for note in contract.annotations if note.choice in GOLD):
            evidence = sorted(non_blank.intersection(annotation.evidence))
            dropped += not evidence
            if evidence:
                name = annotation.hypothesis
                rows.append(
                    (f"{contract.id}/{name}", contract.id, release.hypotheses[name], _names(evidence))
                )
    if not rows:
        raise HarnessError(f"empty dataset: {release.path} has no hypothesis with evidence")
    finding = Finding(
        "blank-evidence",
        Severity.NOTE,
        f"{dropped} of {plural(dropped + len(rows), 'question')}"
        f" {verb(dropped, 'has', 'have')} no evidence but white space and"
        f" {verb(dropped, 'was', 'were')} dropped",
    )
    columns = dict(
        zip(("id", "cluster", "hypothesis", "evidence"), map(list, zip(*rows, strict=True)), strict=True)
    )
    return Dataset(columns, {"spans": _spans(release)}, (finding,) if dropped else ())


def _choose_spans(contract: Contract, hypotheses: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    non_blank = contract.non_blank()
    index = Spans([contract.spans[position] for position in non_blank])
    for annotation in contract.annotations:
        hypothesis = hypotheses[annotation.hypothesis]
        positions = [non_blank[row] for row in index.nearest(hypothesis)]
        yield {
            "id": f"{contract.id}/{annotation.hypothesis}",
            "cluster": contract.id,
            "clause": "\n".join(contract.spans[position] for position in positions),
            "hypothesis": hypothesis,
            "gold": annotation.choice,
            "spans": positions,
        }


def _spans(release: Release) -> Dataset:
    rows = [(contract, position) for contract in release.contracts for position in contract.non_blank()]
    return Dataset(
        {
            "id": [f"{contract.id}/{position}" for contract, position in rows],
            "cluster": [contract.id for contract, _ in rows],
            "span": [str(position) for _, position in rows],
            "text": [contract.spans[position] for contract, position in rows],
        }
    )


def _names(positions: Iterable[int]) -> list[str]:
    return [str(position) for position in positions]
