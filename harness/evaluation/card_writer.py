"""Add the base, the scores and the lineage to the card that sentence-transformers wrote for a candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from harness.render import escaped, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from huggingface_hub import ModelCardData

    from harness.results.records import Evaluation
    from harness.training.lineage import Lineage


def complete_card(folder: Path, lineage: Lineage, base: str, evaluations: Sequence[Evaluation]) -> None:
    """Put the base, the measured scores and the lineage into `README.md`, which is made where it is missing.

    base: the base's name in the card: a hub id where these are its published weights.
    evaluations: of the finished model, on the recipe's tasks.
    """
    from huggingface_hub import EvalResult, ModelCard

    path = folder / CARD
    card = ModelCard(path.read_text(encoding="utf-8") if path.is_file() else _BARE)
    data = cast("ModelCardData", card.data)
    data.base_model = base
    data.model_name = card_title(lineage)
    data.eval_results = [
        EvalResult(
            task_type=evaluation.kind,
            task_name=evaluation.kind,
            dataset_type=dataset_id(evaluation),
            dataset_name=dataset_name(evaluation),
            metric_type=score.metric,
            metric_name=score.metric,
            metric_value=score.score,
        )
        for evaluation in evaluations
        for score in evaluation.scores
        if score.score is not None
    ]
    card.text = f"{card.text.rstrip()}\n\n{_scores_section(evaluations)}{_lineage_section(lineage)}"
    path.write_text(str(card), encoding="utf-8")


CARD = "README.md"
"""File name of a model card."""
_BARE = "---\nlibrary_name: sentence-transformers\n---\n"


def card_title(lineage: Lineage) -> str:
    """Return the model's name: its recipe and seed."""
    return f"{lineage.recipe['name']} (seed {lineage.seed})"


def dataset_id(evaluation: Evaluation) -> str:
    """Return the rows' name for programs, in which a sample differs from the real data."""
    examination = evaluation.examination
    return f"{examination.task}-sample" if examination.data == "sample" else examination.task


def dataset_name(evaluation: Evaluation) -> str:
    """Return the rows' name for people, in which a sample differs from the real data."""
    task, data = evaluation.examination.task, evaluation.examination.data
    return f"{task} (shipped sample, illustrative)" if data == "sample" else task


def _scores_section(evaluations: Sequence[Evaluation]) -> str:
    if not evaluations:
        return ""
    lines = [
        "## Measured by harness",
        "",
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
                f" | {score.examples} | {escaped(score.metric)} | {shown} | {interval} |"
            )
    return "\n".join(lines) + "\n\n"


def _lineage_section(lineage: Lineage) -> str:
    return (
        "## Lineage\n\n"
        f"Recipe {_code(lineage.recipe['name'])}, seed {lineage.seed}, {lineage.steps} steps"
        f" on {lineage.rows} rows of {_code(lineage.data)} (digest `{lineage.data_digest[:12]}`),\n"
        f"from {_code(lineage.base)} (fingerprint `{lineage.base_fingerprint[:12]}`).\n"
        "The whole recipe, the loss log and the hashes of all training texts are in `lineage.json`;\n"
        "`harness run` compares these texts with those that it evaluates on.\n"
    )


def _code(text: str) -> str:
    """Return a name as inline code, in which Markdown and HTML are text."""
    return f"`{one_line(text).replace('`', chr(39))}`"
