"""The kit for checks: each rule has a check that breaks it and no other; our own checks keep all."""

from __future__ import annotations

import itertools
import socket
import sys
from contextlib import suppress

import pytest

from harness import Finding, Severity
from harness.plugins.loader import load_plugins
from harness.testing import check_check, check_failures
from harness.testing.checks import STAGES
from harness.testing.rules import wanted
from harness.training import Check, CheckInput, Rows

COUNTER = itertools.count()
SIGNED = CheckInput(
    path="tickets.csv",
    what="dataset",
    rows=Rows(kind="pairs", texts={"text1": ["My bill. Kind regards"], "text2": ["Your bill"]}),
)


def finding(**changes):
    fields = {"code": "signatures", "severity": Severity.WARNING, "evidence": "1 of 2", "remedy": "Cut them."}
    return Finding(**{**fields, **changes})


def cells(training):
    return (
        [] if training.rows is None else [cell for column in training.rows.texts.values() for cell in column]
    )


def sound(training):
    if any(isinstance(cell, str) and "Kind regards" in cell for cell in cells(training)):
        yield finding()


def finds_something_in_nothing(training):
    if training.rows is None and not training.columns:
        yield finding()
    yield from sound(training)


def raises_without_rows(training):
    assert len(training.rows) >= 0
    yield from sound(training)


def strips_every_cell(training):
    if [cell.strip() for cell in cells(training)]:
        yield from sound(training)


def returns_texts(training):
    return [found.code for found in sound(training)]


def without_remedy(training):
    return [finding(remedy="") for _ in sound(training)]


def severity_as_a_word(training):
    return [finding(severity="bad") for _ in sound(training)]


def code_of_words(training):
    return [finding(code="Has Signatures") for _ in sound(training)]


def finds_nothing(training):
    return []


def finds_short_texts(training):
    yield from sound(training)
    texts = [cell for cell in cells(training) if isinstance(cell, str)]
    if len(texts) > 100 and all(len(text) < 100 for text in texts):
        yield finding(code="short")


def counts_its_calls(training):
    return [finding(evidence=f"{next(COUNTER)} of 2") for _ in sound(training)]


def reverses_its_rows(training):
    yield from sound(training)
    if training.rows is not None:
        for column in training.rows.texts.values():
            column.reverse()


def wants_the_network(training):
    with suppress(OSError):
        socket.create_connection(("kit.invalid", 80))
    yield from sound(training)


def closes_its_output(training):
    sys.stdout.close()
    yield from sound(training)


def prints_a_text(training):
    print(*cells(training)[:1])
    yield from sound(training)


BROKEN = [
    ("attributes", Check("signatures", "", sound), "its help is ''"),
    ("attributes", Check("signatures", "signatures", None), "whose look is None, not a function"),
    ("sparse", finds_something_in_nothing, "of a dataset of which nothing is known, it finds"),
    ("sparse", raises_without_rows, "it raises TypeError"),
    ("strange", strips_every_cell, "it raises AttributeError: 'NoneType' object has no attribute 'strip'"),
    ("findings", returns_texts, "'signatures' is a str, not a Finding"),
    ("findings", without_remedy, "the finding 'signatures' has no remedy"),
    ("findings", severity_as_a_word, "the severity 'bad'"),
    ("findings", code_of_words, "lower case words with hyphens"),
    (
        "findings",
        Check("signatures", "signatures in tickets", sound, ("signature",)),
        "it finds 'signatures', which is not among its codes",
    ),
    ("finds", finds_nothing, "it finds nothing in tickets.csv"),
    ("clean", finds_short_texts, "it finds 'short' in clean pairs"),
    ("twice", counts_its_calls, "it finds something else in tickets.csv when it looks again"),
    ("inputs", reverses_its_rows, "it changes the rows of strange rows"),
    ("network", wants_the_network, "it wants to reach kit.invalid"),
    ("streams", closes_its_output, "it closes sys.stdout"),
    ("prints", prints_a_text, "it prints 'A plain sentence.', a text of its rows"),
]


def failures(broken):
    check = broken if isinstance(broken, Check) else Check("signatures", "signatures in tickets", broken)
    return check_failures(check, finds=SIGNED)


def test_a_sound_check_keeps_all_rules():
    check_check(Check("signatures", "signatures in tickets", sound), finds=SIGNED)


@pytest.mark.parametrize(("rule", "broken", "says"), BROKEN)
def test_a_check_that_breaks_one_rule_is_found_by_this_rule_alone(rule, broken, says):
    (sentence,) = failures(broken)
    assert sentence.startswith(f"{rule}: ")
    assert says in sentence


def test_every_rule_of_checks_has_a_check_that_breaks_it():
    assert {rule for rule, *_ in BROKEN} == set(wanted(STAGES))


@pytest.mark.parametrize("name", ["labels", "loss", "inputs", "evaluation"])
def test_our_own_checks_keep_all_rules(name):
    check_check(load_plugins().checks()[name])
