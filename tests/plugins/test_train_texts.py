"""Texts against their base: unfilled templates, missing prefixes, scripts that the vocabulary lacks."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest

from harness import Severity
from harness.checks.tokens import token_counter
from harness.training.check_input import CheckInput, ColumnFacts, Rows, Usage
from harness_train.prefix_table import prefix_rule
from harness_train.templates import placeholders
from harness_train.texts import TEXTS

WORDS = [
    "a",
    "m",
    "so",
    "at",
    "b",
    "c",
    "d",
    "e",
    "n",
    "o",
    "r",
    "s",
    "t",
    "the",
    "cat",
    "sat",
    "mat",
    "house",
    "dog",
]
CYRILLIC = list("абвгдежзиклмнопрстуфхы")


def pairs(left: list[str], right: list[str], *, complete: bool = True) -> Rows:
    return Rows(kind="pairs", texts={"text1": left, "text2": right}, complete=complete)


def given(rows: Rows | None = None, **changes) -> CheckInput:
    return CheckInput(path="it", what="recipe", rows=rows, **changes)


def found(training: CheckInput) -> dict[str, tuple[Severity, str, str]]:
    return {one.code: (one.severity, one.evidence, one.remedy) for one in TEXTS.look(training)}


@functools.cache
def counter(folder: Path):
    """A tokenizer of a few English words, and of single Cyrillic letters."""
    known = [*WORDS, *CYRILLIC]
    pieces = ["[UNK]", *known, *(f"##{piece}" for piece in known)]
    cut = {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0}
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = {
        "version": "1.0", "truncation": cut,
        "padding": None, "added_tokens": [], "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": vocabulary},
    }  # fmt: skip
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    return token_counter(folder)


@pytest.mark.parametrize(
    "text",
    [
        "Dear {customer_name}, your order", "{{ title }}: the text", "{% if title %}the text",
        "about ${product}", "%(name)s asks", "Title: <TITLE>", "[insert company here] pays",
        "the [product] is",
    ],
)  # fmt: skip
def test_a_placeholder_that_recurs_is_an_unfilled_template(text):
    filler = [f"a sentence about thing {n}" for n in range(38)]
    severity, evidence, _ = found(given(pairs([text, text, *filler], [*filler, "one", "two"])))[
        "unfilled-template"
    ]
    assert severity is Severity.WARNING
    assert "2 of 80 texts" in evidence
    assert found(given(pairs([text] * 40, [text] * 40)))["unfilled-template"][0] is Severity.ERROR
    assert "unfilled-template" not in found(given(pairs([text, *filler], [*filler, "one"])))


@pytest.mark.parametrize("text", ["in {} and {}", "for %s items"])
def test_placeholders_without_a_name_are_a_template_from_a_tenth_of_the_texts_on(text):
    filler = [f"a sentence about thing {n}" for n in range(32)]
    few, many = [text] * 3 + filler, [text] * 8 + filler
    assert not found(given(pairs(few, [*filler, "a", "b", "c"])))
    assert "unfilled-template" in found(given(pairs(many, [*filler, *"abcdefgh"])))


@pytest.mark.parametrize(
    "text",
    [
        'print(f"{prices}: {mean}")', "def f(x):\n    return {name}", r"\frac{name}{total} is \emph{large}",
        '{"title": {"text": 1}}', "the set {a, b} of $x_{max}$", "at 100 %sure", "5%d",
        "List<TEXT> items = get();",
        "<TEXT>a page</TEXT>", "{{cite web|url=x}} in [[a page]]", "see [1] and [sic]", "{x} alone",
        "body { color: red; }", "if (x) { return {value}; }", "laughs [music] loudly",
        "[name] lives in [city]",
    ],
)  # fmt: skip
def test_code_latex_json_and_masks_are_no_templates(text):
    assert placeholders(text) == []
    assert not found(given(pairs([text] * 3, [text] * 3)))


def test_a_field_in_brackets_is_one_if_it_is_all_of_some_texts():
    left = [f"the [name] of customer {n}" for n in range(20)]
    right = [f"an answer about {n}" for n in range(20)]
    assert not found(given(pairs(left, right)))
    assert "22 of 40" in found(given(pairs(left, ["[name]", "[name]", *right[2:]])))["unfilled-template"][1]
    assert not found(given(pairs(["[deleted]"] * 5 + left, ["[music]"] * 5 + right)))


def test_a_prompt_with_a_placeholder_is_an_error_even_without_rows():
    training = given(prompts={"query": "Instruct: {task}\nQuery: "})
    severity, evidence, _ = found(training)["unfilled-template"]
    assert severity is Severity.ERROR
    assert "'{task}'" in evidence
    assert not found(given(prompts={"query": "Instruct: find the answer\nQuery: "}))


def test_texts_of_a_usage_example_count_too():
    usage = Usage(texts=("about {title}", "more {title}", "a cat"))
    assert "2 of 3 texts" in found(given(usage=usage))["unfilled-template"][1]


E5, ARCTIC = "intfloat/e5-base-v2", "Snowflake/snowflake-arctic-embed-m"
TEXT = [f"the text of number {n}" for n in range(10)]
OTHER = [f"another text of number {n}" for n in range(10)]


def prefixed(prefix: str, count: int = 10) -> list[str]:
    return [prefix + text if row < count else text for row, text in enumerate(TEXT)]


@pytest.mark.parametrize(
    ("base", "left", "right", "seen"),
    [
        (E5, TEXT, TEXT, "100% of the texts of text1 and 100% of the texts of text2 lack it"),
        (E5, prefixed("query: "), TEXT, "100% of the texts of text2 lack it"),
        (E5, prefixed("query: "), prefixed("passage: ", 8), "20% of the texts of text2 lack it"),
        (E5, prefixed("search_query: "), prefixed("search_document: "), "100% of the texts of text1"),
        ("hub:nomic-ai/nomic-embed-text-v1.5", TEXT, TEXT, "search_query"),
        ("./models/multilingual-e5-small/", TEXT, TEXT, "query"),
        (
            ARCTIC,
            prefixed("Represent this sentence for searching relevant passages: ", 5),
            OTHER,
            "50% of the texts",
        ),
    ],
)
def test_texts_without_the_prefix_of_their_base_are_a_warning(base, left, right, seen):
    severity, evidence, remedy = found(given(pairs(left, right), base_name=base))["prefix-missing"]
    assert severity is Severity.WARNING
    assert seen in evidence
    assert "https://huggingface.co/" in evidence
    assert "data.templates" in remedy


@pytest.mark.parametrize(
    ("base", "left", "right"),
    [
        (E5, prefixed("query: "), prefixed("passage: ")),
        (E5, prefixed("query: "), prefixed("query:")),
        (E5, prefixed("<p>query: "), prefixed("<div><b>passage:</b> ")),
        ("minilm", TEXT, TEXT),
        ("BAAI/bge-m3", TEXT, TEXT),
        ("someone/my-e5-base-v2-finetuned", TEXT, TEXT),
        (ARCTIC, prefixed("Represent this sentence for searching relevant passages: "), TEXT),
        (ARCTIC, TEXT, prefixed("Rep-\nresent this sen-\ntence for searching relevant passages: ")),
        ("Qwen/Qwen3-Embedding-0.6B", prefixed("Instruct: find it\nQuery:"), TEXT),
        ("", TEXT, TEXT),
    ],
)
def test_texts_with_the_prefix_or_of_another_base_are_sound(base, left, right):
    assert not found(given(pairs(left, right), base_name=base))


def test_a_missing_prefix_of_queries_alone_is_a_note_unless_the_card_names_queries():
    assert found(given(pairs(TEXT, OTHER), base_name=ARCTIC))["prefix-missing"][0] is Severity.NOTE
    columns = tuple(ColumnFacts(name=name, type="string") for name in ("question", "answer"))
    shown = given(pairs(TEXT[:3], OTHER[:3], complete=False), base_name=ARCTIC, columns=columns)
    severity, evidence, _ = found(shown)["prefix-missing"]
    assert severity is Severity.WARNING
    assert "3 rows that the card shows, 100% of the texts of question lack" in evidence


def test_a_prompt_of_the_training_is_a_prefix():
    columns = tuple(ColumnFacts(name=name, type="string") for name in ("anchor", "positive"))
    rows = pairs(TEXT[:3], TEXT[:3], complete=False)
    for prompts in ({"anchor": "query: ", "positive": "passage: "}, {"": "query:"}):
        assert not found(given(rows, base_name=E5, columns=columns, prompts=prompts))
    half = found(given(rows, base_name=E5, columns=columns, prompts={"anchor": "query: "}))
    assert "100% of the texts of positive" in half["prefix-missing"][1]


def test_each_rule_accepts_the_prefixes_that_it_asks_for():
    for base in (
        E5,
        ARCTIC,
        "nomic-embed-text-v1",
        "bge-base-zh-v1.5",
        "embeddinggemma-300m",
        "instructor-xl",
    ):
        rule = prefix_rule(base)
        assert rule is not None
        assert rule.prefix.match(rule.wanted.split('"')[1])


RUSSIAN = [f"{a}{b} дома и сады у {c}еки" for a in "рстк" for b in "аоуи" for c in "рвл"]
ENGLISH = [f"the cat sat at the mat so {a} {b}" for a in WORDS[:8] for b in WORDS[8:14]]
THAI = [f"แมวนั่งบนเสื่อ{sign}" for sign in "กขคงจฉชซ"]


def test_a_script_that_is_read_letter_by_letter_is_a_warning(tmp_path):
    training = given(pairs(ENGLISH, RUSSIAN), base_name="a-base", tokens=counter(tmp_path))
    severity, evidence, _ = found(training)["unreadable-script"]
    assert severity is Severity.WARNING
    assert "48 of 96 texts are in Cyrillic letters, which the vocabulary of a-base does not have" in evidence
    assert "tokens per letter" in evidence


def test_a_script_of_unknown_tokens_is_an_error_where_most_texts_are_in_it(tmp_path):
    most = found(given(pairs(THAI, [f"{text}{text}" for text in THAI]), tokens=counter(tmp_path)))
    assert most["unreadable-script"][0] is Severity.ERROR
    assert "unknown ones" in most["unreadable-script"][1]
    some = found(given(pairs([*ENGLISH, *THAI[:2]], ["the dog"] * 50), tokens=counter(tmp_path)))
    assert some["unreadable-script"][0] is Severity.NOTE


def test_texts_in_known_words_digits_and_signs_are_readable(tmp_path):
    signs = [f"{text} 12 → € {n}/{n} № µ" for n, text in enumerate(ENGLISH)]
    assert not found(given(pairs(ENGLISH, signs), tokens=counter(tmp_path)))
    assert not found(given(pairs(ENGLISH, RUSSIAN)))  # without a tokenizer


def test_tokens_are_counted_without_truncation_and_without_special_ones(tmp_path):
    count = counter(tmp_path)
    assert count(["the cat sat", "the ชา", ""]) == [(3, 0), (2, 1), (0, 0)]
    assert token_counter(None) is None
    assert token_counter(tmp_path / "nowhere") is None
