"""Sound data that look wrong: a check that speaks of them is mistaken."""

from __future__ import annotations

from benchmarks.checks import words
from benchmarks.checks.dataset import DataSet, generator_of
from benchmarks.checks.generated import MNRL, ONLINE, labeled, pairs_of
from benchmarks.checks.texts import event


def labeled_negations(name: str, count: int) -> DataSet:
    """Return paraphrases and negated paraphrases: labels that are right, and that no base can see."""
    random = generator_of(name)
    rows: dict[tuple[str, str], int] = {}
    while len(rows) < count:
        keys, same = event(random), random.random() < 0.5
        said = keys.say(1)
        rows.setdefault((keys.say(0), said if same else said.replace(" is ", " is not ", 1)), int(same))
    return DataSet(
        name=name, rows=labeled("labeled-pairs", [(*pair, rows[pair]) for pair in rows]), loss=ONLINE
    )


def pairs_signs(name: str) -> DataSet:
    """Return answers of programmers and mathematicians: signs that are no markup and no template."""
    rows = [
        (
            f"How do I sort a list of {objects} in Java?",
            f"A List<Integer> {objects} is sorted by Collections.sort({objects}) if a < b means: a first.",
        )
        for objects in words.OBJECTS
    ]
    rows += [
        (
            f"For which {objects[0]} is the mean above {limit}?",
            f"For {objects[0]} > {limit}, as sum / n > {limit} [1]; see \\frac{{{objects[0]}}}{{n}} [2].",
        )
        for limit in range(2, 6)
        for objects in words.OBJECTS
    ]
    rows += [
        (
            f"How do I print the {objects} with their {what}?",
            f'print(f"{{{objects}}}: {{{what.split()[0]}}}"), or "{{}}: {{}}".format({objects}, …).',
        )
        for objects in words.OBJECTS
        for what, _ in words.FUNCTIONS[:4]
    ]
    rows += [
        (
            f"Whom do I ask about {objects}?",
            f"Write to <{objects}@example.org> [office hours: 9-12] or to P&L control & audit.",
        )
        for objects in words.OBJECTS
    ]
    return DataSet(name=name, rows=pairs_of(*zip(*rows, strict=True)), loss=MNRL, directed=True)


def pairs_letters(name: str, count: int) -> DataSet:
    """Return paraphrases that all start alike, such as the letters of an office do."""
    random = generator_of(name)
    said: dict[str, str] = {}
    while len(said) < count:
        keys = event(random)
        said.setdefault(
            f"Dear Sir or Madam, we were told: {keys.say(0)}", f"To whom it may concern: {keys.say(1)}"
        )
    return DataSet(name=name, rows=pairs_of(list(said), list(said.values())), loss=MNRL)


def pairs_few_words(name: str) -> DataSet:
    """Return search words with names of products: one to three words each."""
    rows = [
        (f"{material} {good}", f"{good} of {material}")
        for material in words.MATERIALS
        for good in words.GOODS
    ]
    return DataSet(name=name, rows=pairs_of(*zip(*rows, strict=True)), loss=MNRL)
