"""Tables of a leaderboard: one per board, and one of the models."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.models.storage import embedding_bytes, storage_settings
from harness.render import plural
from harness.table import Cell, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.finding import Finding
    from harness.models.interface import ModelFacts
    from harness.results.leaderboard import Board, Row
    from harness.results.records import Evaluation, ModelRecord, Score, Throughput

SIDE_BY_SIDE = 3
"""Maximum number of models that are columns, with all intervals; more models are rows."""

MOST_METRICS = 8
"""Maximum number of metrics in a table, the first ones; the CSV has them all."""

DETAILS = "--details"
"""Option of `harness run` and `harness leaderboard` that shows all metrics, with all intervals."""

ILLUSTRATIVE = "sample: illustrative, not the real dataset"


def task_tables(boards: Sequence[Board], *, details: bool = False) -> list[Table]:
    """Return a table for each board; boards of one task remark that they are not comparable.

    details: with all metrics and all intervals, and none of them optional.
    """
    tables = [_task_table(board, details=details) for board in boards]
    for table in tables:
        others = [other.subtitle for other in tables if other.title == table.title and other is not table]
        table.remarks.extend(f"not comparable with {table.title} ({subtitle})" for subtitle in others)
    return tables


def models_table(
    boards: Sequence[Board], throughputs: Sequence[Throughput], *, details: bool = False
) -> Table:
    """Return a table of the models: size, dimensions, maximum tokens, speed.

    details: none of its columns is optional.
    """
    speeds = {(speed.model, speed.fingerprint): speed for speed in throughputs}
    # A failed task has no facts of its model: records with facts come last, and win.
    ordered = sorted(
        (row for board in boards for row in board.rows),
        key=lambda row: row.evaluation.candidate.facts is not None,
    )
    models = {row.model: row.evaluation.candidate for row in ordered}
    # What failed now has no speed, even if it was timed before.
    timed = {
        name: speeds[key]
        for name, model in models.items()
        if model.facts and (key := (model.model, model.fingerprint)) in speeds
    }
    rows = []
    for name, model in sorted(models.items()):
        facts = model.facts
        rows.append(
            [
                Cell(name),
                Cell(_count(facts.parameters) if facts else "?"),
                Cell(str(facts.dimensions) if facts else "?"),
                Cell(_max_tokens(facts)),
                Cell(f"{facts.size_bytes / 1e6:.0f} MB" if facts and facts.size_bytes else "–"),
                Cell(f"{facts.device} {model.settings.dtype} {facts.backend}" if facts else "?"),
            ]
        )
    header = ["model", "parameters", "dimensions", "max tokens", "weights", "on"]
    if timed:
        header += ["texts/s", "tokens/s"]
        for cells, name in zip(rows, sorted(models), strict=True):
            cells.extend(_speeds(timed.get(name)))
    if any(storage_settings(model.settings) for model in models.values()):
        header.append("1 M docs")
        for cells, name in zip(rows, sorted(models), strict=True):
            cells.append(Cell(_storage(models[name])))
    here = [speed for name, speed in timed.items() if not _is_remote(models[name])]
    machines = sorted({f"{speed.processor}, {speed.cores} cores" for speed in here})
    remarks = [f"speeds: median of 5 rounds (slowest – fastest) on {'; '.join(machines)}"] if machines else []
    remarks += [
        f"{name}: its speed is that of another machine and of the network"
        for name in sorted(timed)
        if _is_remote(models[name])
    ]
    remarks += [remark for name, model in sorted(models.items()) for remark in _model_remarks(name, model)]
    optional = () if details else ("tokens/s", "weights", "max tokens", "parameters")
    return Table(
        "models", "", header, rows, remarks, names=frozenset(models), optional=optional, option=DETAILS
    )


def _max_tokens(facts: ModelFacts | None) -> str:
    if facts is None or (facts.remote and facts.max_tokens is None):
        return "?"
    return str(facts.max_tokens) if facts.max_tokens else "no limit"


def _is_remote(model: ModelRecord) -> bool:
    return model.facts is not None and model.facts.remote


def _model_remarks(name: str, model: ModelRecord) -> Iterator[str]:
    """Yield remarks on a model: what was allowed, what is doubtful, a slower backend, a lower precision."""
    facts, settings = model.facts, model.settings
    if settings.trust_remote_code:
        yield f"{name}: its own code was allowed to run (--trust-remote-code)"
    if settings.allow_pickle:
        yield f"{name}: pickled weights were allowed (--allow-pickle)"
    if facts is None:
        return
    if facts.similarity != "cosine" and facts.quantization is None:
        own = "the model's own" if settings.similarity is None else "--similarity"
        yield f"{name}: embeddings are compared by {facts.similarity} ({own})"
    if facts.remote:
        yield f"{name}: texts are sent to another machine; scores may differ from run to run by rounding"
    if settings.normalize:
        yield f"{name}: embeddings are scaled to length 1 (--normalize)"
    yield from (f"{name}: {_sentence(finding)} → {finding.remedy}" for finding in facts.all_findings)
    yield from (f"{name}: {note}" for note in facts.notes)
    if (moved := facts.deviation) is not None:
        yield (
            f"{name}: {settings.dtype} moves embeddings by up to 1 − cos = {moved.largest:.1e} from"
            f" float32 (99th percentile {moved.p99:.1e}); {moved.neighbors:.1%} of neighbors stay"
        )
    if (stored := facts.quantization) is not None:
        how = "Hamming distance" if facts.similarity == "hamming" else f"{facts.similarity} of the codes"
        yield (
            f"{name}: stored in {settings.precision}, compared by {how}: 1 − cos up to {stored.largest:.1e}"
            f" from float32 (99th percentile {stored.p99:.1e}); {stored.neighbors:.1%} of neighbors stay"
        )


def _storage(model: ModelRecord) -> str:
    """Return what a million embeddings take, without an index, and in what they are stored."""
    if model.facts is None:
        return "?"
    precision = model.settings.precision
    size = f"{embedding_bytes(model.facts.dimensions, precision):,} MB"
    return size if precision == "float32" else f"{size} {precision}"


def _task_table(board: Board, *, details: bool) -> Table:
    """Return a table of metrics by a few models, in the order given; or of many ranked models by metrics."""
    metrics = board.metrics if details else board.metrics[:MOST_METRICS]
    few = len(board.rows) <= SIDE_BY_SIDE
    # Of many models, only the headlines have intervals, unless all is asked for.
    with_ends = {metric for metric in metrics if few or details or metric == metrics[0]}
    cells = {
        (row.model, metric): score_cell(board, row, metric, interval=metric in with_ends)
        for row in board.rows
        for metric in metrics
    }
    by_model = Table(
        board.task,
        _subtitle(board),
        ["model", *metrics],
        [[Cell(row.model), *(cells[row.model, metric] for metric in metrics)] for row in board.rows],
        _remarks(board, len(metrics)),
        names=frozenset(row.model for row in board.rows),
        optional=() if details else (*reversed(metrics[1:]),),
        option=DETAILS,
    )
    if not few:
        return by_model
    models = [row.model for row in sorted(board.rows, key=lambda row: row.order)]
    rows = [[Cell(metric), *(cells[model, metric] for model in models)] for metric in metrics]
    return replace(by_model, header=["", *models], rows=rows, optional=(), turned=by_model)


def score_cell(board: Board, row: Row, metric: str, *, interval: bool) -> Cell:
    """Return a score; bold where it is the best of several."""
    if row.headline is None:
        return Cell("BROKEN" if row.evaluation.status == "broken" else "ERROR")
    score = board.score(row, metric)
    best = score is not None and score.score is not None and score.score == board.best(metric)
    return Cell(_number(score, interval=interval), best=best and len(board.rows) > 1)


def _number(score: Score | None, *, interval: bool) -> str:
    if score is None or score.score is None:
        return "undefined" if score else "–"
    ends = f" [{score.low:.3f}, {score.high:.3f}]" if interval and score.low is not None else ""
    return f"{score.score:.4f}{ends}"


def _subtitle(board: Board) -> str:
    evaluation = next((row.evaluation for row in board.rows if row.headline), board.rows[0].evaluation)
    examination, headline = evaluation.examination, evaluation.scores[0] if evaluation.scores else None
    parts = [examination.split]
    if headline and headline.examples:
        grouped = (
            f" in {plural(headline.clusters, 'cluster')}" if headline.clusters != headline.examples else ""
        )
        parts.append(f"{plural(headline.examples, 'example')}{grouped}")
    if examination.digest:
        named = {"sample": ILLUSTRATIVE, "files": "data files", "own": "its own data"}
        source = named.get(examination.data) or f"hub {_brief(examination.hub)}".rstrip()
        parts.append(f"{source} ({examination.digest[:8]})")
    if evaluation.status == "ok" and evaluation.predictions is None:
        parts.append("aggregates of another tool: no predictions, no intervals")
    if examination.limit is not None:
        parts.append(
            f"LIMITED to a sample of whole clusters (limit {examination.limit}):"
            " not comparable with the full set"
        )
    return " · ".join(parts)


def _brief(dataset: str) -> str:
    """Return ORG/NAME@COMMIT with the first digits of the commit."""
    name, _, commit = dataset.partition("@")
    return f"{name}@{commit[:8]}" if name else ""


def _remarks(board: Board, shown: int) -> list[str]:
    """Return what is to be known of a board. shown: number of metrics in its table."""
    further = len(board.metrics) - shown
    remarks = [f"{further} further metrics are in the CSV"] if further > 0 else []
    for row in board.rows:
        if row.evaluation.error:
            kind = "BROKEN, not ranked" if row.evaluation.status == "broken" else "ERROR"
            remarks.append(f"{row.model}: {kind}: {(row.evaluation.error.splitlines() or ['?'])[0]}")
        remarks += [f"{row.model}: {_sentence(finding)}" for finding in findings_of(row.evaluation)]
    for model, differences in board.refused:
        remarks.append(f"{kept_from_ranking(model)}: {'; '.join(differences)}")
    return remarks


def findings_of(evaluation: Evaluation) -> list[Finding]:
    """Return the findings of a result: those of the task, then texts that were cut."""
    cut = evaluation.truncation.finding if evaluation.truncation else None
    return [*evaluation.findings, *([cut] if cut else [])]


def kept_from_ranking(model: str, where: str = "") -> str:
    """Return the start of a sentence on a model that was asked something else. where: ` on stsb`."""
    return f"{model} is not ranked{where}, it was asked something else"


def with_letter(cell: Cell, letters: str | None) -> Cell:
    """Return the cell of a headline score with its significance letters, if it has any."""
    return Cell(f"{cell.text} {letters}", cell.best) if letters else cell


def _sentence(finding: Finding) -> str:
    return f"{finding.code} ({finding.severity}): {finding.evidence}"


def _speeds(speed: Throughput | None) -> list[Cell]:
    """Return texts/s with slowest and fastest round, and tokens/s."""
    if speed is None:
        return [Cell("–"), Cell("–")]
    rates = f"{speed.texts_per_second_low:.0f} – {speed.texts_per_second_high:.0f}"
    return [
        Cell(f"{speed.texts_per_second:.0f} ({rates})"),
        Cell(_count(speed.tokens_per_second) if speed.tokens_per_second else "–"),
    ]


def _count(number: float | None) -> str:
    """Return a short count: `22.7 M`, `9.6 k`."""
    if number is None:
        return "?"
    for bound, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= bound:
            return f"{number / bound:.1f} {unit}"
    return f"{number:.0f}"
