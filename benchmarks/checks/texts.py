"""Sentences, articles and records made of the words in `words.py`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmarks.checks import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np


@dataclass(frozen=True, slots=True)
class Event:
    """Who does what, and where, by position in the tables of words."""

    subject: int
    action: int
    place: int

    def say(self, variant: int) -> str:
        """Return the sentence in one of two wordings."""
        parts = (words.SUBJECTS[self.subject], words.ACTIONS[self.action], words.PLACES[self.place])
        text = " ".join(part[variant] for part in parts)
        return f"{text[0].upper()}{text[1:]}."


@dataclass(frozen=True, slots=True)
class Town:
    """A town that does not exist."""

    country: str
    question: str
    article: str


def event(random: np.random.Generator, actions: int = 0) -> Event:
    """Draw an event; of the first `actions` actions, if given."""
    return Event(
        int(random.integers(len(words.SUBJECTS))),
        int(random.integers(actions or len(words.ACTIONS))),
        int(random.integers(len(words.PLACES))),
    )


def unlike(keys: Event, random: np.random.Generator) -> Event:
    """Draw an event that differs in all three."""
    return Event(
        _other(keys.subject, len(words.SUBJECTS), random),
        _other(keys.action, len(words.ACTIONS), random),
        _other(keys.place, len(words.PLACES), random),
    )


def graded(random: np.random.Generator) -> tuple[str, str, float]:
    """Draw two sentences and a score from 0 (nothing in common) to 1 (a paraphrase)."""
    keys, level = event(random), int(random.integers(6))
    other = unlike(keys, random)
    right = {
        5: keys,
        4: replace(keys, place=other.place),
        3: replace(keys, subject=other.subject),
        2: replace(other, action=keys.action),
        1: replace(other, subject=keys.subject),
        0: other,
    }[level]
    return keys.say(0), right.say(1), level / 5


def german_event(keys: Sequence[int], variant: int) -> str:
    """Return a German sentence in one of two wordings."""
    return " ".join(part[key][variant] for part, key in zip(words.GERMAN, keys, strict=True)) + "."


def place_name(number: int) -> str:
    """Return the name of a town, another one for each number below 4,096."""
    parts, name = len(words.SYLLABLES), ""
    for _ in range(3):
        name += words.SYLLABLES[(number * 7 + len(name)) % parts]
        number //= parts
    return f"{name.capitalize()}{'burg' if len(name) % 2 else 'a'}"


def town(name: str, random: np.random.Generator) -> Town:
    """Draw a town: a question on it, and an article of six to nine sentences."""
    country, trade, sight = (
        str(random.choice(table)) for table in (words.COUNTRIES, words.TRADES, words.SIGHTS)
    )
    year, people, height = random.integers(900, 1900), random.integers(2, 900), random.integers(3, 1900)
    question = random.choice(
        [
            f"Where is {name}?",
            f"What is {name} known for?",
            f"How many people live in {name}?",
            f"When was {name} founded?",
        ]
    )
    sentences = [
        f"{name} is a town in {country}, about {height} metres above the sea.",
        f"It was founded in {year} and has some {people},000 inhabitants.",
        f"For a long time {trade} was what most families lived on.",
        f"Visitors come to see {sight}.",
        f"A railway has joined {name} to the capital since {random.integers(1850, 1930)}.",
        f"The mayor, elected for {random.integers(3, 8)} years, has an office in the old town hall.",
        f"Winters in this part of {country} are {random.choice(['mild', 'long and cold', 'wet', 'dry'])}.",
        f"In {random.integers(1900, 1990)} a flood destroyed {random.integers(5, 400)} houses.",
        f"Its football club plays in the {random.choice(['second', 'third', 'fourth'])} division.",
    ]
    kept = sentences[:2] + [
        sentences[index] for index in sorted(random.permutation(range(2, 9))[: random.integers(4, 8)])
    ]
    return Town(country, str(question), " ".join(kept))


def record_text(random: np.random.Generator) -> tuple[str, str]:
    """Draw a query and a record of a shop as a text."""
    color, material, good, brand = (
        str(random.choice(table)) for table in (words.COLORS, words.MATERIALS, words.GOODS, words.BRANDS)
    )
    price, stock = random.integers(9, 400), random.integers(0, 60)
    text = (
        f"title: {brand} {good} — color: {color} — material: {material} — price: {price}.00 EUR —"
        f" in stock: {stock} — rating: {random.integers(20, 50) / 10}"
    )
    return f"{color} {material} {good} by {brand}", text


def _other(key: int, count: int, random: np.random.Generator) -> int:
    return (key + 1 + int(random.integers(count - 1))) % count
