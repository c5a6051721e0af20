"""Add the base, the scores and the lineage to the card that sentence-transformers wrote for a candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from harness.render import one_line
from harness.results.card_export import BARE_CARD, CARD
from harness.results.model_index import model_results, scores_section

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
    from huggingface_hub import ModelCard

    path = folder / CARD
    card = ModelCard(path.read_text(encoding="utf-8") if path.is_file() else BARE_CARD)
    data = cast("ModelCardData", card.data)
    data.base_model = base
    data.model_name = card_title(lineage)
    data.eval_results = model_results(evaluations)
    section = f"{scores_section(evaluations)}\n\n" if evaluations else ""
    card.text = f"{card.text.rstrip()}\n\n{section}{_lineage_section(lineage)}"
    path.write_text(str(card), encoding="utf-8")


def card_title(lineage: Lineage) -> str:
    """Return the model's name: its recipe and seed."""
    return f"{lineage.recipe['name']} (seed {lineage.seed})"


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
