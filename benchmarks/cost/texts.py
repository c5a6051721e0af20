"""Texts of the measured sizes: real sentences and documents, and made ones where there are too few."""

from __future__ import annotations

import csv
import json
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SHORTEST = 12
"""Minimum characters of a text: shorter ones are labels and numbers."""


def real_texts(data: Path, count: int) -> list[str]:
    """Return distinct real texts in a fixed random order, so that every beginning is alike.

    data: the folder of the real data: SNLI, STS-B, ContractNLI's spans, SciFact's titles and sentences,
    Cranfield's abstracts. Raises SystemExit for fewer than `count`.
    """
    texts = [*dict.fromkeys(text for text in _read(data) if len(text) > _SHORTEST)]
    if len(texts) < count:
        raise SystemExit(f"{data} has {len(texts):,} texts, not {count:,}")
    random.Random(0).shuffle(texts)
    return texts[:count]


def _read(data: Path) -> Iterator[str]:
    for row in _rows(data / "snli" / "snli-dev.jsonl"):
        yield from (row["sentence1"], row["sentence2"])
    for file in (*sorted((data / "stsb").glob("*.csv")), data / "contract-nli" / "train-pairs.csv"):
        with file.open(encoding="utf-8", newline="") as lines:
            for cells in csv.reader(lines):
                yield from cells
    for row in _rows(data / "scifact" / "corpus.jsonl"):
        yield from (row["title"], *row["text"].split(". "))
    for row in _rows(data / "cranfield" / "corpus.jsonl"):
        yield row["text"]


def _rows(file: Path) -> Iterator[dict[str, str]]:
    for line in file.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def made_texts(count: int) -> list[str]:
    """Return distinct made texts of 12 words on average, at most a million."""
    from harness.bench.workloads import make_workload

    return list(make_workload(f"sts:{count}").texts)
