"""The findings of the check `inputs` in rows and on cards."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest
from conftest import LetterModel

from harness import Severity
from harness.training import CheckInput, Rows
from harness.training.cards.reader import read_card
from harness.training.check_input import ColumnFacts
from harness.training.recipe import Data
from harness.training.rows import read_training_rows
from harness_train import near_duplicates
from harness_train.inputs import INPUTS
from plugins.cards import replaced, shared_card

ANIMALS, VERBS = ("cat", "dog", "owl", "yak", "hen"), ("sleeps", "eats", "waits", "hides")
PLACES = ("garden", "kitchen", "barn", "river")
SOUND = [f"the {animal} {verb} in the {place}" for animal in ANIMALS for verb in VERBS for place in PLACES]


def rows(left, right=None, **changes) -> Rows:
    right = right or [f"{number} — {text}" for number, text in enumerate(reversed(SOUND[: len(left)]))]
    return Rows(kind="pairs", texts={"text1": left, "text2": right}, **changes)


def found(given: Rows | CheckInput, **changes) -> dict[str, tuple[Severity, str, str]]:
    if isinstance(given, Rows):
        given = CheckInput(path="it", what="dataset", rows=given, **changes)
    return {one.code: (one.severity, one.evidence, one.remedy) for one in INPUTS.look(given)}


def of_card(text, tmp_path) -> dict[str, tuple[Severity, str, str]]:
    (tmp_path / "any name.md").write_text(text, encoding="utf-8")
    return found(read_card(tmp_path / "any name.md").check_input)


def test_sound_rows_have_no_findings():
    assert found(rows(SOUND), base=LetterModel, max_tokens=500) == {}


def test_what_reading_found_is_a_finding(tmp_path):
    lines = [f"{text}\t{number}. {text}" for number, text in enumerate(SOUND[:9])]
    lines[2], lines[6] = f'"{lines[2]}', f'{SOUND[6]}"\t{SOUND[6]}'
    (tmp_path / "rows.tsv").write_text("\n".join(["text1\ttext2", *lines]), encoding="utf-8")
    read = read_training_rows(Data(kind="pairs", path="rows.tsv"), tmp_path / "rows.tsv")
    assert len(read) == 9
    assert found(read)["doubtful-quotes"][0] == Severity.WARNING


# --- records ----------------------------------------------------------------------------------------------


def test_cells_that_are_records_are_an_error_and_the_remedy_names_their_keys():
    record = {"page_name": "Fees", "text": "They are due in May.", "url": "https://example.org"}
    severity, evidence, remedy = found(rows([record, "a text", "another one"]))["dict-inputs"]
    assert severity is Severity.ERROR
    assert "1 of 3 cells of text1 are records" in evidence
    assert "the first key (page_name)" in evidence
    assert 'templates = { text1 = "{page_name} — {text} — {url}" }' in remedy


def test_the_records_card_is_an_error_and_a_copy_with_texts_is_not(tmp_path):
    text = shared_card("records-cosine")
    severity, evidence, remedy = of_card(text, tmp_path)["dict-inputs"]
    assert severity is Severity.ERROR
    assert "sentence_0 (dict) and sentence_1 (dict)" in evidence
    assert "{page_name}" in remedy
    strings = replaced(text, ("| dict               | dict               |", "| string | string |"))
    assert "dict-inputs" not in of_card(strings, tmp_path)


# --- nothing to read --------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [None, float("nan"), 3])
def test_cells_without_a_text_are_an_error(cell):
    severity, evidence, _ = found(rows(["one", "two", cell]))["missing-texts"]
    assert severity is Severity.ERROR
    assert "1 of 3 cells of text1" in evidence
    assert "in row 3" in evidence


@pytest.mark.parametrize(("blank", "severity"), [(1, Severity.WARNING), (4, Severity.ERROR)])
def test_blank_texts_are_counted(blank, severity):
    finding = found(rows([" \n"] * blank + SOUND[blank:]))["empty-texts"]
    assert finding[0] is severity
    assert f"{blank} of 80 cells of text1" in finding[1]


# --- too long ---------------------------------------------------------------------------------------------


def test_texts_beyond_the_limit_are_counted_with_the_bases_tokenizer():
    # To LetterModel a letter is a token; its own limit is 64.
    severity, evidence, _ = found(rows(["a" * 96, *SOUND[:79]]), base=LetterModel)["truncated-texts"]
    assert severity is Severity.NOTE
    assert "1 of 160 texts (0.6%) are longer than 64 tokens, the longest has 96" in evidence
    many = found(rows(["a" * 96 + text for text in SOUND]), base=LetterModel)["truncated-texts"]
    assert many[0] is Severity.WARNING


def test_the_recipes_limit_takes_precedence_over_the_bases():
    given = rows(["a" * 96, *SOUND[:79]])
    assert "truncated-texts" not in found(given, base=LetterModel, max_tokens=96)
    assert "longer than 95 tokens" in found(given, base=LetterModel, max_tokens=95)["truncated-texts"][1]


def test_without_a_base_no_tokens_are_counted():
    assert "truncated-texts" not in found(rows(["a" * 5000, *SOUND[:79]]))


@pytest.mark.parametrize(("longest", "cut"), [(256.0, True), (255.0, False), (None, False)])
def test_a_longest_text_of_exactly_the_limit_was_cut(longest, cut):
    column = ColumnFacts(name="a", type="string", high=longest, unit="tokens")
    given = CheckInput(path="card.md", what="card", columns=(column,), max_tokens=256)
    assert ("truncated-texts" in found(given)) == cut


# --- scripts and copies -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("foreign", "noted"), [(0, False), (1, False), (8, True)])
def test_a_second_script_is_noted_from_a_fiftieth_on(foreign, noted):
    texts = [f"собака номер {number}" for number in range(foreign)] + SOUND[foreign:]
    finding = found(rows(texts)).get("mixed-scripts")
    assert (finding is not None) == noted
    if noted:
        assert finding[0] is Severity.NOTE
        assert "in Cyrillic" in finding[1]


def long_texts(count: int, seed: int = 0) -> list[str]:
    generator = np.random.default_rng(seed)
    words = [f"{start}{end}" for start in "bdfglmnprst" for end in ("alo", "iren", "oute", "undi", "ekka")]
    return [" ".join(generator.choice(words, 30)) for _ in range(count)]


@pytest.mark.parametrize(("copies", "severity"), [(0, None), (2, Severity.NOTE), (20, Severity.WARNING)])
def test_rows_that_are_nearly_another_one_are_counted(copies, severity):
    left, right = long_texts(100), long_texts(100, seed=1)
    for row in range(copies):
        left[99 - row], right[99 - row] = f"Well, {left[row]}", right[row] + " indeed"
    finding = found(rows(left, right)).get("near-duplicates")
    assert (finding and finding[0]) == severity
    if finding:
        assert f"{2 * copies} of 100 distinct rows" in finding[1]


def test_rows_that_repeat_exactly_are_not_near_duplicates():
    left, right = long_texts(10), long_texts(10, seed=1)
    assert "near-duplicates" not in found(rows(left * 2, right * 2))


def test_short_texts_behind_one_instruction_are_not_near_duplicates():
    instruction = "Given a web search query, retrieve relevant passages that answer the query: "
    asked, answers = ([f"{instruction}{text[:5]}" for text in long_texts(40, seed=seed)] for seed in (0, 1))
    assert "near-duplicates" not in found(rows(asked, answers))


def test_rows_behind_an_instruction_that_are_nearly_another_one_are_found():
    asked = [f"Given a web search query, retrieve the passages: {text}" for text in long_texts(40)]
    answers = long_texts(40, seed=1)
    given = rows([*asked, *(f"{text} indeed" for text in asked[:5])], [*answers, *answers[:5]])
    assert "10 of 45" in found(given)["near-duplicates"][1]


def test_of_many_rows_a_sample_is_compared_and_the_evidence_names_its_size(monkeypatch):
    monkeypatch.setattr(near_duplicates, "MOST_ROWS", 50)
    left, right = long_texts(100), long_texts(100, seed=1)
    _, evidence, _ = found(rows([*left, *(f"Well, {text}" for text in left)], [*right, *right]))[
        "near-duplicates"
    ]
    assert "of 50 distinct rows" in evidence
    assert "drawn from 200: there may be more among all" in evidence


@pytest.mark.slow
def test_a_hundred_thousand_rows_are_looked_at_in_bounded_time():
    left = [f"{text} {number}" for number, text in enumerate(long_texts(1000) * 100)]
    right = [f"{number} {text}" for number, text in enumerate(long_texts(1000, seed=1) * 100)]
    start = time.perf_counter()
    assert "near-duplicates" in found(rows(left, right))
    assert time.perf_counter() - start < 40


# --- the published cards ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nda-contrastive", {"truncated-texts", "mojibake"}),
        ("penal-triplet", {"mojibake"}),
        ("sts-cosine", {"mojibake"}),
        ("records-cosine", {"dict-inputs", "mojibake"}),
        ("papers-mnrl", {"truncated-texts", "mojibake", "pdf-debris"}),
    ],
)
def test_the_published_cards_show_what_their_inputs_were(name, expected, tmp_path):
    findings = of_card(shared_card(name), tmp_path)
    assert set(findings) == expected
    assert {code for code, one in findings.items() if one[0] is Severity.ERROR} <= {"dict-inputs"}


def test_a_papers_card_without_debris_loses_the_finding(tmp_path):
    debris = re.compile(r"\(cid:\d+\)|(?<=[a-z])- (?=[a-z])|^ *\d{1,2}$|(?<=')\d+$", re.MULTILINE)
    assert "pdf-debris" not in of_card(debris.sub("", shared_card("papers-mnrl")), tmp_path)
