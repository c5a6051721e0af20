"""Examples and distributions made by hand: of `made.py`."""

from __future__ import annotations

import random

from harness.report.distributions import Distribution
from harness.report.examples import ModelAnswers, RankedDocuments, TaskExamples

FLIPS = {"contract-nli", "penal"}


def distributions(board) -> list[Distribution]:
    """Return what a board of this kind has of each model."""
    made = []
    for row in board.rows:
        random.seed(f"{board.id} {row.model}")
        counts = tuple(random.randint(1, 20) for _ in range(12))
        edges = tuple(each / 12 for each in range(13))
        common = {"board": board.id, "model": row.model}
        if board.kind == "clauses":
            both = {"entailment": counts, "neutral": counts[::-1]}
            made.append(
                Distribution(
                    **common, kind="similarity", label="similarity", edges=edges, counts=both, threshold=0.5
                )
            )
        if board.kind == "triplet":
            edges = tuple(each / 6 - 1 for each in range(13))
            made.append(
                Distribution(**common, kind="margin", label="margin", edges=edges, counts={"": counts})
            )
        if board.kind == "retrieval":
            bins = ("1", "2–3", "4–10", "not in the first 100")
            made.append(Distribution(**common, kind="rank", label="rank", bins=bins, counts={"": counts[:4]}))
        made.append(
            Distribution(
                **common,
                kind="length",
                label="characters",
                edges=(0.0, 50.0, 100.0, 200.0),
                counts={"": (20, 30, 10)},
                quality=(0.5, 0.6, None),
            )
        )
    return made


def made_examples(board, number, texts) -> TaskExamples:
    """Return examples of a board with the answers of its models."""
    random.seed(board.id)
    ids = tuple(f"{board.id}-{at}" for at in range(number))
    flips = board.task in FLIPS
    gold: tuple = ()
    columns = {
        "premise": tuple(
            f"The party shall keep item {at} of {board.task} confidential." for at in range(number)
        ),
        "hypothesis": tuple(f"Item {at} may be shared with {at % 7} others." for at in range(number)),
    }
    relevant, documents = (), {}
    if board.kind == "sts":
        gold = tuple(round(random.uniform(0, 5), 1) for _ in ids)
    elif board.kind == "clauses":
        gold = tuple(random.choice(("entailment", "neutral", "contradiction")) for _ in ids)
    elif board.kind == "retrieval":
        relevant = tuple((f"doc-{at % 15}", f"doc-{(at + 1) % 15}") for at in range(number))
        documents = {f"doc-{at}": f"Statute {at}: whoever takes {at} things." for at in range(15)}
        columns = {"query": tuple(f"Which statute holds for {at} things?" for at in range(number))}
    else:
        columns = {
            name: tuple(f"{name} {at}" for at in range(number)) for name in ("anchor", "positive", "negative")
        }
    models = tuple(_answers(row.model, board, number, gold, flips) for row in board.rows)
    return TaskExamples(
        board=board.id,
        ids=ids,
        left_out=12,
        metric=board.metrics[0],
        quality="1 where right" if flips else "how near it is",
        flips=flips,
        clusters=tuple(f"contract {at % 5}" for at in range(number)) if board.kind == "clauses" else (),
        lengths=tuple(40 + at % 100 for at in range(number)),
        gold=gold,
        relevant=relevant,
        texts=columns if texts else {},
        absent={} if len(board.rows) == 3 else {"lexical": "it was asked something else"},
        documents=documents if texts else {},
        models=models,
    )


def _answers(model, board, number, gold, flips) -> ModelAnswers:
    random.seed(f"{model} {board.id}")
    if board.kind == "retrieval":
        ids = tuple(tuple(f"doc-{each}" for each in random.sample(range(15), 10)) for _ in range(number))
        scores = tuple(tuple(1 - place / 20 for place in range(10)) for _ in range(number))
        quality = tuple(round(random.random(), 2) for _ in range(number))
        return ModelAnswers(model=model, quality=quality, documents=RankedDocuments(ids=ids, scores=scores))
    right = tuple(float(random.random() < 0.7) for _ in range(number))
    if board.kind == "clauses":
        answers = tuple(each if good else "other" for each, good in zip(gold, right, strict=True))
        return ModelAnswers(model=model, answers=answers, quality=right)
    if flips:
        return ModelAnswers(model=model, answers=tuple(each - 0.5 for each in right), quality=right)
    answers = tuple(round(each / 5 + random.uniform(-0.2, 0.2), 3) for each in gold)
    return ModelAnswers(model=model, answers=answers, quality=tuple(-abs(random.gauss(0, 5)) for _ in gold))
