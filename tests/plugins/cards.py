"""Model cards to be checked: a small one to be changed, and copies of published ones."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[3] / "shared" / "cards"


def shared_card(name: str) -> str:
    """Text of a published card; skips, saying so, where it is not there."""
    path = SHARED / f"{name}.md"
    if not path.is_file():
        pytest.skip(f"needs the published card {path}")
    return path.read_text(encoding="utf-8")


def replaced(text: str, *changes: tuple[str, str]) -> str:
    """Replace parts of a text, each of which must be there."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


TRIPLETS = ("anchor", "positive", "negative"), ("string", "string", "string")
PAIRS = ("sentence_0", "sentence_1"), ("string", "string")
SCORED = ("sentence_0", "sentence_1", "label"), ("string", "string", "float")


def card_text(
    *,
    columns=SCORED,
    size=4000,
    batch=16,
    epochs=2,
    loss="CosineSimilarityLoss",
    parameters="{}",
    log=(),
    claims=(),
    normalize=True,
    best=False,
) -> str:
    """Write a card as sentence-transformers does, with what checks of the loss and the evaluation read.

    log: rows (epoch, step, loss, dev score), None for a dash. claims: pairs (metric, value) on `dev`.
    """  # fmt: skip
    names, types = columns
    lengths = ["<ul><li>min: 5 tokens</li><li>mean: 9.0 tokens</li><li>max: 20 tokens</li></ul>"] * len(names)
    if types[-1] == "float":
        lengths[-1] = "<ul><li>min: 0.0</li><li>mean: 0.5</li><li>max: 1.0</li></ul>"
    cells = [f"| {epoch} | {step} | {loss or '-'} | {score or '-'} |" for epoch, step, loss, score in log]
    scores = [f"    - type: {metric}\n      value: {value}\n      name: {metric}" for metric, value in claims]
    index = "\n".join(
        ["model-index:", "- name: a model", "  results:", "  - task:", "      type: t", "    dataset:",
         "      name: dev", "      type: dev", "    metrics:", *scores]
    ) if scores else ""  # fmt: skip
    modules = ["(0): Transformer({'max_seq_length': 256})", "(1): Pooling({'word_embedding_dimension': 384})"]
    modules += ["(2): Normalize()"] * normalize
    return "\n".join([
        "---", "tags:", "- sentence-transformers", "- generated_from_trainer", f"- dataset_size:{size}",
        f"- loss:{loss}", "base_model: someone/a-base", "library_name: sentence-transformers", index, "---",
        "# SentenceTransformer based on someone/a-base", "", "## Model Details", "", "### Model Description",
        "- **Model Type:** Sentence Transformer", "- **Maximum Sequence Length:** 256 tokens",
        "- **Output Dimensionality:** 384 dimensions", "", "### Full Model Architecture", "", "```",
        "SentenceTransformer(", *(f"  {module}" for module in modules), ")", "```", "",
        "## Training Details", "", "### Training Dataset", "", "#### Unnamed Dataset", "",
        f"* Size: {size:,} training samples",
        f"* Columns: {', '.join(f'<code>{name}</code>' for name in names)}",
        "* Approximate statistics based on the first 1000 samples:",
        f"  |  | {' | '.join(names)} |", f"  |:--|{':--|' * len(names)}",
        f"  | type | {' | '.join(types)} |", f"  | details | {' | '.join(lengths)} |",
        f"* Loss: [<code>{loss}</code>](https://sbert.net) with these parameters:",
        "  ```json", f"  {parameters}", "  ```", "", "### Training Hyperparameters",
        "#### All Hyperparameters", f"- `per_device_train_batch_size`: {batch}",
        f"- `num_train_epochs`: {epochs}", "- `max_steps`: -1", "- `lr_scheduler_type`: linear",
        f"- `load_best_model_at_end`: {best}", "- `batch_sampler`: batch_sampler", "",
        "### Training Logs", "| Epoch | Step | Training Loss | dev_spearman_cosine |",
        "|:--:|:--:|:--:|:--:|", *cells, "", "### Framework Versions", "- Sentence Transformers: 5.1.0", "",
    ])  # fmt: skip
