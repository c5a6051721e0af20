"""Scores as the model index of a model card: in its front matter for programs, as a table for people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.models.interface import changed_settings
from harness.render import escaped
from harness.system.redact import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from huggingface_hub import EvalResult

    from harness.results.records import Evaluation

SOURCE = "harness"
"""Name of the source by which our entries are known among others'."""
_URL = "https://github.com/embedding-harness/harness"
BEGIN, END = "<!-- harness: scores, begin -->", "<!-- harness: scores, end -->"
"""What our section of a card's body stands between."""

_TASK_TYPES = {
    "sts": "Semantic Similarity",
    "triplet": "Triplet",
    "retrieval": "Information Retrieval",
}
"""Kind → task, as cards of sentence-transformers call it."""
_METRICS = {
    "sts": (re.compile("spearman|pearson"), "{metric}_{similarity}"),
    "triplet": (re.compile("accuracy"), "{similarity}_{metric}"),
    "retrieval": (re.compile(r"(recall|precision|ndcg|mrr|map)@\d+"), "{similarity}_{metric}"),
}
"""Kind → metrics that cards of sentence-transformers have too, and how they spell them."""
_BINARY = {"average_precision": "{similarity}_ap"}


def model_results(evaluations: Sequence[Evaluation]) -> list[EvalResult]:
    """Return an entry for each defined score of evaluations, in their order, with our source.

    Samples and limited runs have names of their own, so that nobody takes them for the data set.
    """
    from huggingface_hub import EvalResult

    return [
        EvalResult(
            task_type=_task_name(evaluation).lower().replace(" ", "-"),
            task_name=_task_name(evaluation),
            dataset_type=dataset_id(evaluation),
            dataset_name=dataset_name(evaluation),
            dataset_split=evaluation.examination.split,
            dataset_revision=_revision(evaluation),
            metric_type=metric,
            metric_name=metric.replace("_", " ").title(),
            metric_value=score.score,
            source_name=SOURCE,
            source_url=_URL,
        )
        for evaluation in evaluations
        for score in evaluation.scores
        if score.score is not None
        for metric in (_metric_type(evaluation, score.metric),)
    ]


def merged_index(index: Any, name: str, evaluations: Sequence[Evaluation]) -> list[dict[str, Any]]:  # noqa: ANN401 - YAML
    """Return a model index in which our entries are those of the evaluations, and all others stay.

    index: of the card; None where it has none. name: the model's, for a new index.
    Raises ValueError for an index that is not a list of named lists of results.
    """
    from huggingface_hub.repocard_data import eval_results_to_model_index

    models = [] if index is None else index
    if not isinstance(models, list) or not all(
        isinstance(model, dict) and isinstance(model.get("results", []), list) for model in models
    ):
        raise ValueError("its model-index is not a list of models, each with a list of results")
    (own,) = eval_results_to_model_index(redact(name), model_results(evaluations))
    if not models:
        return [own]
    kept = [[one for one in model.get("results", []) if not _is_ours(one)] for model in models]
    kept[0] += own["results"]
    return [{**model, "results": results} for model, results in zip(models, kept, strict=True)]


def scores_section(evaluations: Sequence[Evaluation]) -> str:
    """Return the section of a card's body with all scores and intervals, between its marks."""
    lines = [
        BEGIN,
        "## Measured by harness",
        "",
        *_settings_lines(evaluations),
        "| dataset | split | examples | metric | score | 95 % interval |",
        "|---|---|---|---|---|---|",
    ]
    for evaluation in evaluations:
        for score in evaluation.scores:
            interval = (
                "" if score.low is None or score.high is None else f"{score.low:.4f} – {score.high:.4f}"
            )
            shown = "undefined" if score.score is None else f"{score.score:.4f}"
            lines.append(
                f"| {escaped(dataset_name(evaluation))} | {escaped(evaluation.examination.split)}"
                f" | {score.examples or ''} | {escaped(score.metric)} | {shown} | {interval} |"
            )
    return redact("\n".join([*lines, "", END]))


def dataset_id(evaluation: Evaluation) -> str:
    """Return the rows' name for programs, in which a sample and a limited run differ from the real data."""
    examination = evaluation.examination
    home = examination.hub.partition("@")[0] if examination.data == "hub" else ""
    name = f"{examination.task}-sample" if examination.data == "sample" else home or examination.task
    return redact(name if examination.limit is None else f"{name}-limit-{examination.limit}")


def dataset_name(evaluation: Evaluation) -> str:
    """Return the rows' name for people, in which a sample and a limited run differ from the real data."""
    examination = evaluation.examination
    marks = []
    if examination.data == "sample":
        marks.append("shipped sample, illustrative")
    if examination.limit is not None:
        marks.append(f"at most {examination.limit} examples")
    return redact(f"{examination.task} ({'; '.join(marks)})" if marks else examination.task)


def _revision(evaluation: Evaluation) -> str:
    """Return the commit of a dataset of the hub, else the digest of the rows."""
    return evaluation.examination.hub.partition("@")[2] or evaluation.examination.digest


def _is_ours(result: object) -> bool:
    source = result.get("source") if isinstance(result, dict) else None
    return isinstance(source, dict) and source.get("name") == SOURCE


def _task_name(evaluation: Evaluation) -> str:
    if evaluation.kind == "clauses":
        metrics = {score.metric for score in evaluation.scores}
        if metrics & {*_BINARY}:
            return "Binary Classification"
        return "Reranking" if "map" in metrics else "Text Classification"
    return _TASK_TYPES.get(evaluation.kind, evaluation.kind)


def _metric_type(evaluation: Evaluation, metric: str) -> str:
    """Return a metric's name as cards of sentence-transformers spell it where they have it, else our own."""
    facts = evaluation.candidate.facts
    names, spelling = _METRICS.get(evaluation.kind, (re.compile("(?!)"), ""))
    if evaluation.kind == "clauses":
        spelling = _BINARY.get(metric, "")
    elif not names.fullmatch(metric):
        spelling = ""
    return spelling.format(metric=metric, similarity=facts.similarity) if facts and spelling else metric


def _settings_lines(evaluations: Sequence[Evaluation]) -> list[str]:
    """Return a line on how the model was used where that is not by its own defaults."""
    changed = changed_settings(evaluations[0].candidate.settings) if evaluations else {}
    if not changed:
        return []
    return [f"Settings: {escaped(', '.join(f'{name} {value}' for name, value in changed.items()))}", ""]
