"""Texts with encoding errors, PDF debris or mixed scripts."""

from __future__ import annotations

import pytest

from harness import Severity
from harness.training import CheckInput
from harness_train.encoding_errors import broken_words, check_texts, is_mojibake, main_script
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
def test_texts_of_many_languages_are_not_mojibake_but_are_after_decoding_as_latin_1(text):
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
def test_words_broken_at_a_line_end_differ_from_intended_hyphens(text, expected):
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


def test_mojibake_on_a_card_that_was_decoded_wrongly_is_a_note():
    broken = "the system\u2019s clauses".encode().decode("cp1252")
    assert found(broken, "fine")["mojibake"].severity is Severity.WARNING
    assert "'system’s'" in found(broken, "fine")["mojibake"].evidence
    doubtful = found(broken, "fine", garbled=True)["mojibake"]
    assert doubtful.severity is Severity.NOTE
    assert "only this file may be wrong" in doubtful.evidence


def tokens_of_known_words(texts):
    """Count a token for a known word, and one for every three letters of another one."""
    known = {"four", "engined", "wing", "session", "language"}
    return [sum(1 if word in known else -(-len(word) // 3) for word in text.split()) for text in texts]


@pytest.mark.parametrize("count", [None, tokens_of_known_words])
def test_a_compound_whose_hyphen_ended_a_line_is_no_broken_word(count):
    whole = ["a four- engined wing", "the four-\nengined wing", "four wings of engined flight"]
    broken = ["the court was in ses- sion", "a lan- guage of flight"]
    assert "pdf-debris" not in {one.code for one in check_texts(whole, count=count)}
    said = {one.code: one.evidence for one in check_texts([*whole, *broken], count=count)}["pdf-debris"]
    assert said.startswith("2 of 5 texts")
    assert "'ses- sion'" in said


def test_debris_of_a_pdf_is_counted_by_kind():
    debris = found(
        "the sum (cid:80) of",
        "a lan- guage model",
        "the committee met again in the next year\n\n19\n\nmore",
        "clean",
    )["pdf-debris"]
    assert debris.evidence.startswith("3 of 4 texts")
    assert "(cid:80)" in debris.evidence
    assert not found("1,234 items", "well-known", "page 19 of it")


CODE = """def read(path):
    rows = load(path)
    for row in rows:
        print(row)
    return rows - others

1
2"""


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        "Use this:\n```\nself- other\n3\n```\nand run it again.",
        "Input\n5\n1\n2\n3\nOutput\n15",
        "for (int i = 0; i < n; i++) {\n  total += i;\n}\n42",
    ],
)
def test_code_and_lists_of_numbers_are_not_debris_of_a_pdf(text):
    assert "pdf-debris" not in {one.code for one in check_texts([text, text + " ", "Plain words."])}


def test_a_page_number_stands_alone_next_to_prose():
    page = "The committee met again in the following year and\n17\nadopted the second report without a vote."
    assert "pdf-debris" in {one.code for one in check_texts([page, page + " ", "Plain words."])}
