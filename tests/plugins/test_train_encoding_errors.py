"""Texts that were broken before anyone trained on them."""

from __future__ import annotations

import pytest

from harness import Severity
from harness.training import CheckInput
from harness_train.encoding_errors import broken_words, is_mojibake, main_script
from harness_train.inputs import INPUTS

GOOD = [
    "Le café est fermé à Noël, naïve idée d'été.",
    "Größe und Maß; die Straße übt „Qualität“ – ständig.",
    "今日は天気がいいですね。",
    "Быстрая лиса прыгает через собаку.",
    "Ελληνικά και ∀x∈ℝ: x² ≥ 0 ± ε",
    "Great 👍🏽 work 🎉 — 100 € “saved”…",
    "Ağaç, çiçek, şeker; český příliš žluťoučký kůň",
]


@pytest.mark.parametrize("text", GOOD)
def test_texts_of_many_languages_are_no_mojibake_and_what_becomes_of_them_in_latin_1_is(text):
    assert not is_mojibake(text)
    assert is_mojibake("the system\u2019s clauses \u2014 both".encode().decode("cp1252"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a large lan- guage model", ["lan- guage"]),
        ("a lan-\nguage model", ["lan-\nguage"]),
        ("short- and long-term goals", []),
        ("Vor- und Nachteile", []),
        ("the well-known co-author", []),
        ("see Smith- Jones", []),
    ],
)
def test_words_that_a_line_cut_are_told_from_hyphens_that_are_meant(text, expected):
    assert broken_words(text) == expected


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("hello", "Latin"),
        ("привет", "Cyrillic"),
        ("你好", "Chinese or Japanese"),
        ("12 %", ""),
        ("é", "Latin"),
    ],
)
def test_the_script_of_most_letters_is_named(text, script):
    assert main_script(text) == script


def found(*samples, garbled=False):
    training = CheckInput(path="card.md", what="card", samples=samples, garbled=garbled)
    return {one.code: one for one in INPUTS.look(training)}


def test_mojibake_on_a_card_that_is_garbled_itself_is_not_held_against_the_data():
    broken = "the system\u2019s clauses".encode().decode("cp1252")
    assert found(broken, "fine")["mojibake"].severity is Severity.WARNING
    assert "'system’s'" in found(broken, "fine")["mojibake"].evidence
    doubtful = found(broken, "fine", garbled=True)["mojibake"]
    assert doubtful.severity is Severity.NOTE
    assert "may be this file alone" in doubtful.evidence


def test_remains_of_a_pdf_are_counted_by_kind():
    debris = found("the sum (cid:80) of", "a lan- guage model", "text\n\n19\n\nmore", "clean")["pdf-debris"]
    assert debris.evidence.startswith("3 of 4 texts")
    assert "(cid:80)" in debris.evidence
    assert not found("1,234 items", "well-known", "page 19 of it")
