"""Answers of models that never were, on data at the edge of what can be told apart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path


def write_case(case: str, root: Path) -> list[str]:
    """Write a case's tasks and answers into a folder; returns the names of its models."""
    CASES[case](root)
    return sorted({path.stem for path in root.glob("*/*.npz")})


def write_task(root, task, metrics, dataset, models):
    (root / task).mkdir(parents=True, exist_ok=True)
    known = root / "tasks.json"
    tasks = json.loads(known.read_text()) if known.exists() else {}
    known.write_text(json.dumps(tasks | {task: metrics}))
    (root / f"{task}.json").write_text(json.dumps(dataset))
    for name, columns in models.items():
        np.savez(root / task / f"{name}.npz", **columns)


def many(root):
    """50 checkpoints on three tasks; ck49 has collapsed."""
    rng = np.random.default_rng(7)
    n = 100
    ids = [f"e{i:03d}" for i in range(n)]
    for task in ("t1", "t2", "t3"):
        meaning, shared = rng.standard_normal(n), 0.3 * rng.standard_normal(n)
        gold = np.round(np.clip(2.5 + 1.5 * meaning, 0, 5))
        names = [f"ck{i:02d}" for i in range(49)] + ["base"]
        models = {
            name: {"predicted": meaning + shared + 0.2 * rng.standard_normal(n), "gold": gold}
            for name in names
        }
        models["ck49"] = {"predicted": meaning + 4 * rng.standard_normal(n), "gold": gold}
        write_task(root, task, ["spearman"], {"id": ids, "gold": gold.tolist()}, models)


def few(root):
    """Perfect answers on 12 examples: ROC-AUC with 3 positives, macro-F1, accuracy, Spearman."""
    rng = np.random.default_rng(5)
    ids = [f"e{i:02d}" for i in range(12)]
    gold = [1] * 3 + [0] * 9
    areas = {
        "a": np.r_[np.linspace(2, 3, 3), np.linspace(0, 1, 9)],
        "b": np.r_[np.linspace(5, 9, 3)[::-1], rng.random(9)],
    }
    write_task(
        root,
        "auc12",
        ["roc_auc"],
        {"id": ids, "gold": gold},
        {name: {"predicted": scores, "gold": np.array(gold)} for name, scores in areas.items()},
    )
    labels = ["x", "y"] * 6
    probabilities = {"a": np.linspace(0, 1, 12), "b": np.linspace(1, 0, 12)}
    labelled = {"id": ids, "gold": labels}
    classes = {name: {"predicted": np.array(labels), "prob": own} for name, own in probabilities.items()}
    write_task(root, "f1eq", ["macro_f1"], labelled, classes)
    right = {name: {"value": np.ones(12), "prob": own} for name, own in probabilities.items()}
    write_task(root, "acceq", ["accuracy"], labelled, right)
    ratings, order = np.arange(12) / 3.0, rng.permutation(12) * 1.0
    ranked = {"a": order, "b": order**3 + 1}
    write_task(
        root,
        "sp12",
        ["spearman"],
        {"id": ids, "gold": ratings.tolist()},
        {name: {"predicted": own, "gold": ratings} for name, own in ranked.items()},
    )


def border(root):
    """50 examples: four answers or five queries gained, or lost, and nothing else."""
    rng = np.random.default_rng(9)
    n = 50
    ids = {"id": [f"q{i:02d}" for i in range(n)]}
    base = np.round(rng.beta(2, 2, n) * 0.5, 3)
    up, down = base.copy(), base.copy()
    up[:5] += 0.5
    down[5:10] = np.maximum(base[5:10] - 0.5, 0)
    graded = {"base": base, "up": up, "down": down}
    write_task(root, "ndcg", ["ndcg"], ids, {name: {"value": own} for name, own in graded.items()})
    right, fewer = np.ones(n), np.ones(n)
    right[:4] = 0
    fewer[:4] = 0
    fewer[10:14] = 0
    answers = {"base": right, "up": np.ones(n), "down": fewer}
    write_task(root, "acc", ["accuracy"], ids, {name: {"value": own} for name, own in answers.items()})


def rare(root):
    """400 answers: `eq` differs from `base` in two, one each way."""
    rng = np.random.default_rng(10)
    n = 400
    base = (rng.random(n) < 0.8) * 1.0

    def flipped(gained, lost):
        answers = base.copy()
        answers[rng.permutation(np.flatnonzero(base == 0))[:gained]] = 1
        answers[rng.permutation(np.flatnonzero(base == 1))[:lost]] = 0
        return {"value": answers}

    models = {
        "base": {"value": base},
        "eq": flipped(1, 1),
        "better": flipped(30, 4),
        "worse": flipped(2, 30),
        "bitworse": flipped(0, 6),
    }
    write_task(root, "acc", ["accuracy"], {"id": [f"q{i:03d}" for i in range(n)]}, models)


CASES = {"many": many, "few": few, "border": border, "rare": rare}
