"""Equality with the CPU: every model of the zoo through every backend on a device, and STS-B."""

from __future__ import annotations

import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from harness import Model

SCORES = 1e-5
"""Maximum difference of a score in float32 between a device and the CPU."""
BACKENDS = ("packed", "batched", "plain")
_PAIRS = 80


def zoo(device: str, names: list[str] | None = None) -> dict[str, Any]:
    """Hold every model on the device against itself on the CPU, with every backend, in two precisions.

    Returns the cells by model and `backend dtype`: the Spearman score's difference from the CPU's, and the
    largest 1 − cosine; for what could not run, the reason. `failed` lists what breaks the bound.
    """
    from tests.zoo import ZOO

    cells: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as work:
        for name in names or list(ZOO):
            folder = ZOO[name](Path(work) / name)
            cells[name] = {}
            reference = _scored(folder, "cpu", "plain", "float32")
            for backend in BACKENDS:
                for dtype in ("float32", "bfloat16"):
                    cells[name][f"{backend} {dtype}"] = _held_against(
                        reference, folder, device, backend, dtype
                    )
    failed = [
        f"{name} {cell}" for name, row in cells.items() for cell, found in row.items() if _fails(cell, found)
    ]
    compared = sum("score" in found for row in cells.values() for found in row.values())
    return {"bound": SCORES, "compared": compared, "failed": failed, "cells": cells}


def stsb(model: Path, data: Path, device: str) -> dict[str, Any]:
    """Return Spearman on STS-B's test split, on the CPU and on the device in three precisions."""
    from harness import DataSource, evaluate, load_model
    from harness.plugins.loader import load_plugins

    task = load_plugins().tasks()["stsb"]
    scores: dict[str, Any] = {}
    for where, dtype in (
        ("cpu", "float32"),
        *((device, dtype) for dtype in ("float32", "bfloat16", "float16")),
    ):
        loaded = load_model(str(model), device=where, dtype=dtype, allow_deviation=True)
        result, _ = evaluate(loaded, task, DataSource.of(task, data))
        deviation = loaded.facts.deviation
        scores[f"{where} {dtype}" + (" (device)" if where == device else "")] = {
            "spearman": result.scores[0].score,
            "backend": loaded.facts.backend,
            "deviation": deviation.largest if deviation else 0.0,
        }
    exact = [cell["spearman"] for name, cell in scores.items() if "float32" in name]
    return {"bound": SCORES, "scores": scores, "failed": [] if np.ptp(exact) <= SCORES else ["float32"]}


def _held_against(
    reference: tuple[np.ndarray, float], folder: Path, device: str, backend: str, dtype: str
) -> dict[str, Any]:
    from harness import HarnessError

    try:
        embeddings, score = _scored(folder, device, backend, dtype)
    except HarnessError as error:
        return {"refused": str(error)}
    except Exception:  # noqa: BLE001 - whatever a device does is a finding
        return {"raised": traceback.format_exc(limit=-3)}
    expected, exact = reference
    away = 1 - (_unit(embeddings) * _unit(expected)).sum(axis=1)
    return {"score": abs(score - exact), "moved": float(np.abs(away).max())}


def _fails(cell: str, found: dict[str, Any]) -> bool:
    """Say whether float32 breaks the bound, or anything was raised; bfloat16's deviation is recorded."""
    return "raised" in found or ("float32" in cell and not found.get("score", 0.0) <= SCORES)


def _scored(folder: Path, device: str, backend: str, dtype: str) -> tuple[np.ndarray, float]:
    """Return embeddings of pairs, and the Spearman correlation of their similarity with fixed ratings."""
    from scipy.stats import spearmanr

    from harness import Role, load_model

    model: Model = load_model(str(folder), device=device, backend=backend, dtype=dtype, allow_deviation=True)
    left, right, gold = _pairs()
    embeddings = [model.encode(left, Role.QUERY), model.encode(right, Role.DOCUMENT), model.encode(left)]
    similarity = model.pairwise_similarity(embeddings[0], embeddings[1])
    # Rounded, as last bits would decide between equal pairs.
    score = float(spearmanr(np.round(similarity.astype(float), 5), gold).statistic)
    return np.concatenate(embeddings), score


def _pairs() -> tuple[list[str], list[str], np.ndarray]:
    from tests.zoo import WORDS

    drawn = np.random.default_rng(0)
    left, right = (
        [" ".join(drawn.choice(WORDS, size=drawn.integers(1, 40))) for _ in range(_PAIRS)] for _ in range(2)
    )
    return left, right, drawn.random(_PAIRS)


def _unit(embeddings: np.ndarray) -> np.ndarray:
    wide = embeddings.astype(float)
    unit: np.ndarray = wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-30)
    return unit
