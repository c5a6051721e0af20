"""Made examples of each kind of task, and distributions."""

from __future__ import annotations

from harness.report.distributions import Distribution
from harness.report.examples import ModelAnswers, RankedDocuments, TaskExamples
from tests.plugins.report.boards import BASE, LEXICAL, MINE


def make_examples(names: dict[str, str], text: str, *, texts: bool) -> tuple[TaskExamples, ...]:
    """Examples of each kind of task, the retrieval ones with documents."""
    rows = 6
    ids = tuple(f"row-{number}" for number in range(rows))
    sts = TaskExamples(
        board="stsb",
        ids=ids,
        left_out=1373,
        metric="spearman",
        quality="minus the distance of rank from gold",
        flips=False,
        lengths=(84,) * rows,
        gold=(0.0, 1.2, 2.4, 3.1, 4.0, 5.0),
        texts={
            "text1": tuple(f"A man is playing guitar {n}. {text}" for n in range(rows)),
            "text2": tuple(f"A person plays an instrument {n}." for n in range(rows)),
        }
        if texts
        else {},
        models=tuple(
            ModelAnswers(
                model=names[model],
                answers=tuple(0.1 + 0.15 * n + shift for n in range(rows)),
                quality=tuple(-abs(shift) * n for n in range(rows)),
            )
            for model, shift in ((BASE, 0.05), (MINE, 0.01), (LEXICAL, 0.3))
        ),
    )
    triplet = TaskExamples(
        board="penal-triplets",
        ids=ids,
        left_out=165,
        metric="accuracy",
        quality="1 where the positive is more similar",
        flips=True,
        lengths=(120,) * rows,
        texts={
            "anchor": (f"Whoever takes a thing {text}",) * rows,
            "positive": ("Theft is punished.",) * rows,
            "negative": ("Fraud is punished.",) * rows,
        }
        if texts
        else {},
        models=tuple(
            ModelAnswers(
                model=names[model],
                answers=tuple(0.1 * (n - at) for n in range(rows)),
                quality=tuple(float(n > at) for n in range(rows)),
            )
            for at, model in enumerate((MINE, BASE, LEXICAL))
        ),
    )
    retrieval = TaskExamples(
        board="aila-statutes",
        ids=ids[:2],
        left_out=108,
        metric="recall@10",
        quality="recall@10 of the query",
        flips=False,
        lengths=(900, 700),
        relevant=(("S1", "S9"), ("S3",)),
        texts={"query": (f"The appellant was convicted {text}", "A lease of land")} if texts else {},
        documents={"S1": f"Murder. {text}", "S2": "Theft.", "S3": "Lease."} if texts else {},
        models=tuple(
            ModelAnswers(
                model=names[model],
                quality=(good, 1.0),
                documents=RankedDocuments(ids=(found, ("S3", "S2")), scores=((0.8, 0.7), (0.6, 0.5))),
            )
            for model, good, found in (
                (BASE, 0.0, ("S2", "S3")),
                (MINE, 0.5, ("S1", "S2")),
                (LEXICAL, 0.0, ("S3", "S2")),
            )
        ),
    )
    return sts, triplet, retrieval


def make_distributions(names: dict[str, str]) -> tuple[Distribution, ...]:
    edges = tuple(round(0.1 * n, 1) for n in range(11))
    made = []
    for at, model in enumerate((BASE, MINE, LEXICAL)):
        name = names[model]
        made += [
            Distribution(
                board="contract-nli",
                model=name,
                kind="similarity",
                label="cosine similarity",
                edges=edges,
                threshold=0.437,
                counts={
                    "entailment": (0, 0, 1, 3, 9, 20 + at, 34, 40, 30, 8),
                    "contradiction": (2, 5, 9, 16, 20, 11, 6, 3, 1, 0),
                },
            ),
            Distribution(
                board="penal-triplets",
                model=name,
                kind="margin",
                label="similarity to the positive − to the negative",
                edges=tuple(round(-0.3 + 0.1 * n, 1) for n in range(9)),
                counts={"": (2, 6, 22 - at, 50, 51 + at, 30, 8, 2)},
            ),
            Distribution(
                board="aila-statutes",
                model=name,
                kind="rank",
                label="rank of the first relevant document",
                bins=("1", "2–5", "6–10", "11–100", "not in the first 100"),
                counts={"": (48, 31, 12, 19, 0)},
            ),
            Distribution(
                board="stsb",
                model=name,
                kind="length",
                label="characters of both texts",
                edges=(0, 50, 100, 150, 200, 300),
                counts={"": (200, 500, 400, 200, 79)},
                quality=(-0.12, -0.1, -0.11, -0.14, -0.19),
            ),
        ]
    return tuple(made)
