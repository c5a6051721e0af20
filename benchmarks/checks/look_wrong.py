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


def pairs_markup(name: str) -> DataSet:
    """Return questions about HTML with answers: tags that are spoken of, and mark nothing up."""
    tags = ("div", "span", "table", "section", "nav", "button", "form", "input", "h1", "footer")
    asked = (
        (
            "How do I center a <{0}> inside another <{1}>?",
            "Give the outer <{1}> display: flex, and justify-content: center; so it works for any <{0}>.",
        ),
        (
            "What is the difference between <{0}> and <{1}>?",
            "Readers of screens announce <{0}>. The other one, <{1}>, only groups what is in it.",
        ),
        (
            'Is <{0} class="wide"> valid in a <{1}>?',
            'It is: <{1}><{0} class="wide">text</{0}></{1}> passes every validator.',
        ),
    )
    rows = [
        (question.format(tag, tags[place - shift]), answer.format(tag, tags[place - shift]))
        for question, answer in asked
        for shift in (1, 3, 4)
        for place, tag in enumerate(tags)
    ]
    return DataSet(
        name=name, rows=pairs_of(*zip(*rows, strict=True)), loss=MNRL, directed=True, only_clean=True
    )


def pairs_wrapped(name: str, count: int) -> DataSet:
    """Return subjects with mails whose lines are wrapped, some at the hyphen of a compound."""
    random = generator_of(name)
    said: dict[str, str] = {}
    while len(said) < count:
        keys, other = event(random), event(random)
        kind = str(random.choice(["twenty-\nfour", "well-\nknown", "short-\nterm", "cross-\nborder"]))
        said.setdefault(
            f"News: {keys.say(0)}",
            f"Hello,\n\nas you know from our {kind} list of events:\n{keys.say(1)}\n\n"
            f"> {other.say(0)}\n\nBest\n--\nJ.",
        )
    return DataSet(
        name=name, rows=pairs_of(list(said), list(said.values())), loss=MNRL, directed=True, only_clean=True
    )


def labeled_both_orders(name: str) -> DataSet:
    """Return questions and answers, each pair in both orders, as they are added for a symmetric model."""
    made = [
        (problem[0].format(thing), problem[2].format(thing), words.PROBLEMS[place - 4][2].format(thing))
        for thing in words.THINGS[:6]
        for place, problem in enumerate(words.PROBLEMS)
    ]
    rows = [
        row
        for question, answer, other in made
        for row in ((question, answer, 1), (answer, question, 1), (question, other, 0), (other, question, 0))
    ]
    return DataSet(name=name, rows=labeled("labeled-pairs", rows), loss=ONLINE, only_clean=True)
