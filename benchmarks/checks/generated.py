"""Generated data sets of all kinds of rows, short and long, small and large."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from benchmarks.checks import words
from benchmarks.checks.dataset import DataSet, generator_of
from benchmarks.checks.texts import (
    event,
    german_event,
    graded,
    place_name,
    record_text,
    town,
    unlike,
)
from harness.training.check_input import Rows
from harness.training.recipe import Loss

if TYPE_CHECKING:
    from collections.abc import Sequence

MNRL, COSINE, COSENT = (
    Loss(name=name) for name in ("MultipleNegativesRankingLoss", "CosineSimilarityLoss", "CoSENTLoss")
)
CONTRASTIVE, ONLINE = Loss(name="ContrastiveLoss"), Loss(name="OnlineContrastiveLoss")
TRIPLET = Loss(name="TripletLoss", distance="cosine", margin=0.3)
BATCH_HARD = Loss(name="BatchHardTripletLoss", distance="cosine", margin=0.3)


def pairs_of(left: Sequence[str], right: Sequence[str]) -> Rows:
    """Return rows of pairs."""
    return Rows(kind="pairs", texts={"text1": list(left), "text2": list(right)})


def labeled(kind: str, rows: Sequence[tuple[str, str, float]]) -> Rows:
    """Return rows of scored or labelled pairs."""
    left, right, labels = zip(*rows, strict=True)
    return Rows(kind=kind, texts={"text1": list(left), "text2": list(right)}, labels=list(labels))


def triplets_of(rows: Sequence[tuple[str, str, str]]) -> Rows:
    """Return rows of triplets."""
    anchors, positives, negatives = zip(*rows, strict=True)
    return Rows(
        kind="triplets",
        texts={"anchor": list(anchors), "positive": list(positives), "negative": list(negatives)},
    )


def scored_events(name: str, count: int, loss: Loss = COSINE) -> DataSet:
    """Return pairs of events, scored 0 to 1 by what they share."""
    random = generator_of(name)
    rows: dict[tuple[str, str], float] = {}
    while len(rows) < count:
        left, right, score = graded(random)
        rows.setdefault((left, right), score)
    return DataSet(name=name, rows=labeled("scored-pairs", [(*pair, rows[pair]) for pair in rows]), loss=loss)


def scored_german(name: str, count: int) -> DataSet:
    """Return scored pairs of German sentences."""
    random = generator_of(name)
    rows: dict[tuple[str, str], float] = {}
    while len(rows) < count:
        keys = [int(random.integers(len(part))) for part in words.GERMAN]
        other = [
            key if random.random() < 0.5 else int(random.integers(len(part)))
            for key, part in zip(keys, words.GERMAN, strict=True)
        ]
        same = sum(a == b for a, b in zip(keys, other, strict=True))
        pair = (german_event(keys, 0), german_event(other, 1))
        rows.setdefault(pair, [0.0, 0.25, 0.6, 1.0][same])
    return DataSet(
        name=name, rows=labeled("scored-pairs", [(*pair, rows[pair]) for pair in rows]), loss=COSENT
    )


def scored_questions(name: str, count: int) -> DataSet:
    """Return pairs of questions about products: the same, the same product, the same question, neither."""
    random = generator_of(name)
    rows: dict[tuple[str, str], float] = {}
    while len(rows) < count:
        thing, problem = random.integers(len(words.THINGS)), random.integers(len(words.PROBLEMS))
        same_thing, same_problem = random.random() < 0.6, random.random() < 0.5
        other = thing if same_thing else (thing + 1 + random.integers(20)) % len(words.THINGS)
        question = problem if same_problem else (problem + 1 + random.integers(9)) % len(words.PROBLEMS)
        left = words.PROBLEMS[problem][0].format(words.THINGS[thing])
        right = words.PROBLEMS[question][1].format(words.THINGS[other])
        rows.setdefault(
            (left, right),
            0.2 + 0.2 * same_thing + 0.6 * same_problem * same_thing if same_thing or same_problem else 0.0,
        )
    return DataSet(
        name=name, rows=labeled("scored-pairs", [(*pair, rows[pair]) for pair in rows]), loss=COSINE
    )


def labeled_questions(name: str, count: int, share: float, loss: Loss) -> DataSet:
    """Return pairs of questions, a share of them duplicates."""
    random = generator_of(name)
    rows: dict[tuple[str, str], int] = {}
    while len(rows) < count:
        thing, problem = random.integers(len(words.THINGS)), random.integers(len(words.PROBLEMS))
        same = random.random() < share
        question = problem if same else (problem + 1 + random.integers(9)) % len(words.PROBLEMS)
        other = thing if same or random.random() < 0.5 else random.integers(len(words.THINGS))
        left = words.PROBLEMS[problem][0].format(words.THINGS[thing])
        right = words.PROBLEMS[question][1].format(words.THINGS[other])
        rows.setdefault((left, right), int(same))
    return DataSet(
        name=name, rows=labeled("labeled-pairs", [(*pair, rows[pair]) for pair in rows]), loss=loss
    )


def labeled_clauses(name: str, count: int) -> DataSet:
    """Return contract clauses with short claims, of which few recur: entailed or not."""
    random = generator_of(name)
    rows: dict[tuple[str, str], int] = {}
    while len(rows) < count:
        clause, claim = random.integers(len(words.DUTIES)), random.integers(len(words.DUTIES))
        if random.random() < 0.5:
            claim = clause
        party, other = random.choice(words.PARTIES, 2, replace=False)
        number = random.integers(1, 40)
        text = f"{number}. {words.DUTIES[clause][0]}. This applies between {party} and {other} alike."
        rows.setdefault((text, words.DUTIES[claim][1]), int(clause == claim))
    return DataSet(
        name=name,
        rows=labeled("labeled-pairs", [(*pair, rows[pair]) for pair in rows]),
        loss=CONTRASTIVE,
        directed=True,
    )


def labeled_events(name: str, count: int, loss: Loss) -> DataSet:
    """Return paraphrases and pairs of unlike events."""
    random = generator_of(name)
    rows: dict[tuple[str, str], int] = {}
    while len(rows) < count:
        keys = event(random)
        same = random.random() < 0.5
        rows.setdefault((keys.say(0), (keys if same else unlike(keys, random)).say(1)), int(same))
    return DataSet(
        name=name, rows=labeled("labeled-pairs", [(*pair, rows[pair]) for pair in rows]), loss=loss
    )


def triplets_events(name: str, count: int, loss: Loss) -> DataSet:
    """Return an event, its paraphrase, and another event."""
    random = generator_of(name)
    rows: dict[str, tuple[str, str, str]] = {}
    while len(rows) < count:
        keys = event(random)
        rows.setdefault(keys.say(0), (keys.say(0), keys.say(1), unlike(keys, random).say(1)))
    return DataSet(name=name, rows=triplets_of(list(rows.values())), loss=loss)


def triplets_answers(name: str, count: int, loss: Loss) -> DataSet:
    """Return a question, its answer, and another answer on the same thing: a hard negative."""
    random = generator_of(name)
    rows: dict[str, tuple[str, str, str]] = {}
    while len(rows) < count:
        thing, problem = random.integers(len(words.THINGS)), int(random.integers(len(words.PROBLEMS)))
        other = (problem + 1 + int(random.integers(9))) % len(words.PROBLEMS)
        said = [
            text.format(words.THINGS[thing]) for text in (*words.PROBLEMS[problem], words.PROBLEMS[other][2])
        ]
        rows.setdefault(said[0], (said[0], said[2], said[3]))
    return DataSet(name=name, rows=triplets_of(list(rows.values())), loss=loss, directed=True)


def triplets_towns(name: str, count: int, loss: Loss) -> DataSet:
    """Return a question on a town, the article on it, and the article on another one."""
    random = generator_of(name)
    towns = [town(place_name(number), random) for number in range(count + 1)]
    rows = [(a.question, a.article, b.article) for a, b in itertools.pairwise(towns)]
    return DataSet(name=name, rows=triplets_of(rows), loss=loss, directed=True)


def pairs_answers(name: str, count: int, *, prefixes: tuple[str, ...] = (), base: str = "minilm") -> DataSet:
    """Return questions with their answers; with the prefixes that a base needs, if there are any."""
    random = generator_of(name)
    every = [(thing, problem) for thing in words.THINGS for problem in words.PROBLEMS]
    chosen = [every[index] for index in random.permutation(len(every))[:count]]
    first, second = prefixes or ("", "")
    return DataSet(
        name=name,
        rows=pairs_of(
            [first + problem[0].format(thing) for thing, problem in chosen],
            [second + problem[2].format(thing) for thing, problem in chosen],
        ),
        loss=MNRL, directed=True, prefixes=prefixes, base=base,
    )  # fmt: skip


def pairs_towns(
    name: str, count: int, *, prefixes: tuple[str, ...] = (), base: str = "minilm", start: int = 0
) -> DataSet:
    """Return questions on towns with the articles that answer them."""
    random = generator_of(name)
    towns = [town(place_name(start + number), random) for number in range(count)]
    first, second = prefixes or ("", "")
    rows = pairs_of([first + one.question for one in towns], [second + one.article for one in towns])
    return DataSet(name=name, rows=rows, loss=MNRL, directed=True, prefixes=prefixes, base=base)


def pairs_events(name: str, count: int, *, prefixes: tuple[str, ...] = (), base: str = "minilm") -> DataSet:
    """Return events with their paraphrases."""
    random = generator_of(name)
    said: dict[str, str] = {}
    while len(said) < count:
        keys = event(random)
        said.setdefault(keys.say(0), keys.say(1))
    first, second = prefixes or ("", "")
    rows = pairs_of([first + text for text in said], [second + text for text in said.values()])
    return DataSet(name=name, rows=rows, loss=MNRL, prefixes=prefixes, base=base)


def pairs_code(name: str) -> DataSet:
    """Return descriptions with functions of Python: braces, comparisons and hyphens that are no debris."""
    said = [
        (
            f"Return the {what} of the {objects}.",
            f"def f({objects}):\n    if len({objects}) < 1: raise\n    return {how.format(objects)}",
        )
        for what, how in words.FUNCTIONS
        for objects in words.OBJECTS
    ]
    return DataSet(name=name, rows=pairs_of(*zip(*said, strict=True)), loss=MNRL, directed=True)


def pairs_records(name: str, count: int) -> DataSet:
    """Return queries with records of a shop, each written as a text of fields."""
    random = generator_of(name)
    said: dict[str, str] = {}
    while len(said) < count:
        query, text = record_text(random)
        said.setdefault(query, text)
    return DataSet(name=name, rows=pairs_of(list(said), list(said.values())), loss=MNRL, directed=True)


def texts_intents(name: str, count: int, classes: int, *, suffix: bool = False) -> DataSet:
    """Return single texts with their intent."""
    random = generator_of(name)
    chosen = list(words.INTENTS)[:classes]
    said: dict[str, str] = {}
    while len(said) < count:
        intent = str(random.choice(chosen))
        text = str(random.choice(words.INTENTS[intent])).format(random.choice(words.THINGS))
        place = f", I bought it {random.choice([p for p, _ in words.PLACES])}" if suffix else ""
        said.setdefault(text + place, intent)
    rows = Rows(kind="labeled-texts", texts={"text": list(said)}, labels=list(said.values()))
    return DataSet(name=name, rows=rows, loss=BATCH_HARD)


def texts_actions(name: str, count: int, classes: int) -> DataSet:
    """Return single texts, labelled by number with what is done in them."""
    random = generator_of(name)
    said: dict[str, int] = {}
    while len(said) < count:
        keys = event(random, classes)
        said.setdefault(keys.say(int(random.integers(2))), keys.action)
    rows = Rows(kind="labeled-texts", texts={"text": list(said)}, labels=list(said.values()))
    return DataSet(name=name, rows=rows, loss=BATCH_HARD)


def texts_towns(name: str, count: int) -> DataSet:
    """Return long texts on towns, labelled with their country."""
    random = generator_of(name)
    towns = [town(place_name(3000 + number), random) for number in range(count)]
    rows = Rows(
        kind="labeled-texts",
        texts={"text": [one.article for one in towns]},
        labels=[one.country for one in towns],
    )
    return DataSet(name=name, rows=rows, loss=BATCH_HARD)


def triplets_records(name: str, count: int, loss: Loss) -> DataSet:
    """Return a query, the record that it asks for, and another record."""
    random = generator_of(name)
    said: dict[str, str] = {}
    while len(said) < count + 1:
        query, text = record_text(random)
        said.setdefault(query, text)
    texts = list(said.items())
    rows = [(query, text, texts[row + 1][1]) for row, (query, text) in enumerate(texts[:-1])]
    return DataSet(name=name, rows=triplets_of(rows), loss=loss, directed=True)


def triplets_intents(name: str, count: int, loss: Loss) -> DataSet:
    """Return two texts of one intent about one thing, and one of another intent."""
    random = generator_of(name)
    rows: dict[tuple[str, str], tuple[str, str, str]] = {}
    while len(rows) < count:
        own, other = random.choice(list(words.INTENTS), 2, replace=False)
        first, second = random.choice(len(words.INTENTS[own]), 2, replace=False)
        thing = str(random.choice(words.THINGS))
        far = str(random.choice(words.INTENTS[other])).format(random.choice(words.THINGS))
        row = (words.INTENTS[own][first].format(thing), words.INTENTS[own][second].format(thing), far)
        rows.setdefault(row[:2], row)
    return DataSet(name=name, rows=triplets_of(list(rows.values())), loss=loss)
