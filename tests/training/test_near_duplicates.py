"""Texts known again: equal ones by their hash, near ones by their signature."""

from __future__ import annotations

import re
import time
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from harness.errors import HarnessError
from harness.training.near_duplicates import (
    NEAR,
    SIGNATURES,
    Signatures,
    near_copies,
    normalize_text,
    read_signatures,
    shingles,
    text_hash,
    text_hashes,
    write_signatures,
)

WORDS = [f"{start}{end}" for start in "bdfglmnprst" for end in ("alo", "iren", "oute", "undi", "ekka", "yst")]


def sentences(count: int, words: int = 12, seed: int = 0) -> list[str]:
    """Draw sentences, no two of which have much in common."""
    generator = np.random.default_rng(seed)
    return [" ".join(generator.choice(WORDS, words)) for _ in range(count)]


def jaccard(one: str, other: str) -> float:
    """The share of runs of five characters that two texts have in common, counted in plain Python."""
    runs = [
        {text[place : place + 5] for place in range(max(len(text) - 4, 1))}
        for text in map(normalize_text, (one, other))
    ]
    return len(runs[0] & runs[1]) / len(runs[0] | runs[1])


# --- equal texts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("The Party  shall\n", "the party shall", id="case and white space"),
        pytest.param("“Party” — it's", '"party" - it’s', id="punctuation"),
        pytest.param("ﬁne Ｗｉｄｅ", "fine wide", id="ligatures and width"),
        pytest.param("Straße", "STRASSE", id="sharp s"),
        pytest.param("cafe\u0301", "caf\u00e9", id="accents composed or not"),
        pytest.param("a\u00a0b\u200bc", "a b c", id="spaces of other kinds"),
    ],
)
def test_texts_that_differ_in_form_alone_are_the_same(one, other):
    assert text_hash(one) == text_hash(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("it rains", "it rained", id="a word"),
        pytest.param("cafe", "café", id="an accent"),
        pytest.param("कि", "का", id="a vowel sign"),
        pytest.param("a < b", "a > b", id="a symbol"),
        pytest.param("🙂", "🙁", id="an emoji"),
        pytest.param("!!!", "???", id="nothing but punctuation"),
    ],
)
def test_texts_that_differ_in_what_they_say_are_not_the_same(one, other):
    assert text_hash(one) != text_hash(other)


@given(st.text())
def test_normalization_is_idempotent(text):
    once = normalize_text(text)
    assert normalize_text(once) == once


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",))))
def test_a_text_is_known_again_composed_or_decomposed(text):
    assert text_hash(unicodedata.normalize("NFD", text)) == text_hash(unicodedata.normalize("NFC", text))


def test_hashes_are_sorted_distinct_and_of_sixteen_digits_and_blank_texts_have_none():
    hashes = text_hashes(["b", "a", "A.", " ", "", "c"])
    assert list(hashes) == sorted(set(hashes))
    assert len(hashes) == 3
    assert all(len(one) == 16 and int(one, 16) >= 0 for one in hashes)


# --- near texts -------------------------------------------------------------------------------------------


@given(st.text(), st.text())
def test_shingles_are_shared_as_runs_of_five_characters_are(one, other):
    left, right = set(shingles(one).tolist()), set(shingles(other).tolist())
    assert len(left & right) / len(left | right) == pytest.approx(jaccard(one, other))


def changed(text: str, words: int) -> str:
    """Replace the first words of a text."""
    return " ".join(["qqqq"] * words + text.split()[words:])


def test_near_duplicates_are_found_as_their_exact_similarity_says():
    texts = sentences(300, words=40)
    signed = Signatures.of(texts)
    pairs = [(text, changed(text, words)) for text in texts[:60] for words in range(0, 18, 3)]
    asked, exact = [other for _, other in pairs], np.array([jaccard(*pair) for pair in pairs])
    found = np.array([one is not None for one in signed.near(asked)])
    clear = abs(exact - NEAR) > 0.12
    assert (exact[clear] > NEAR).any()
    assert (exact[clear] < NEAR).any()
    assert (found == (exact >= NEAR))[clear].all()


def test_the_nearest_signed_text_is_returned():
    texts = sentences(50, words=40)
    assert Signatures.of(texts).near([changed(texts[7], 1)]) == [text_hash(texts[7])]


def test_an_equal_text_is_near_and_a_blank_one_is_not():
    signed = Signatures.of(["a b", "yes", " "])
    assert signed.near(["A, b!", "yes", " ", "no"]) == [text_hash("a b"), text_hash("yes"), None, None]


def test_without_signed_texts_nothing_is_near():
    assert Signatures.of([]).near(["a text"]) == [None]


def test_signatures_are_the_same_after_a_way_over_the_disk(tmp_path):
    texts = sentences(20)
    write_signatures(tmp_path, texts)
    read, made = read_signatures(tmp_path, text_hashes(texts)), Signatures.of(texts)
    assert read.hashes == made.hashes == text_hashes(texts)
    assert np.array_equal(read.rows, made.rows)


def test_signatures_are_those_that_older_candidates_have_on_disk():
    # What is written stays comparable only as long as nobody changes shingles, seed or scheme.
    rows = Signatures.of(["The quick brown fox"]).rows
    assert rows[0, :4].tolist() == [766751174, 276528846, 984680870, 82682013]


def test_no_file_means_no_signatures_and_a_corrupt_one_is_an_error(tmp_path):
    assert read_signatures(tmp_path, []) is None
    (tmp_path / SIGNATURES).write_bytes(b"no parquet")
    with pytest.raises(HarnessError, match=f"{SIGNATURES} cannot be read"):
        read_signatures(tmp_path, [])


@pytest.mark.parametrize("texts", [0, 1, 3])
def test_more_signatures_than_texts_are_not_read_nor_fewer(tmp_path, texts):
    write_signatures(tmp_path, ["a", "b"])
    with pytest.raises(HarnessError, match=f"does not hold the signatures of the {texts} texts"):
        read_signatures(tmp_path, text_hashes("abc"[:texts]))


def test_a_small_file_of_many_signatures_takes_no_memory(tmp_path):
    one = pa.array([b"x" * 512], type=pa.binary(512))
    many = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100_000, dtype=np.int32)), one)
    parquet.write_table(pa.table({"minhash": many}), tmp_path / SIGNATURES, store_schema=False)
    assert (tmp_path / SIGNATURES).stat().st_size < 10_000
    usual, counted = pa.default_memory_pool(), pa.proxy_memory_pool(pa.default_memory_pool())
    pa.set_memory_pool(counted)
    try:
        with pytest.raises(HarnessError, match="the signatures of the 2 texts"):
            read_signatures(tmp_path, text_hashes("ab"))
    finally:
        pa.set_memory_pool(usual)
    assert 0 < counted.max_memory() < 2**23


@pytest.mark.parametrize("kind", [pa.binary(), pa.binary(8), pa.string(), pa.int64()])
def test_signatures_of_another_width_are_not_read(tmp_path, kind):
    cell = 1 if kind == pa.int64() else "x" * (8 if kind == pa.binary(8) else 512)
    parquet.write_table(pa.table({"minhash": pa.array([cell], type=kind)}), tmp_path / SIGNATURES)
    with pytest.raises(HarnessError, match=f"signatures have type {re.escape(str(kind))}"):
        read_signatures(tmp_path, text_hashes("a"))


@pytest.mark.slow
def test_ten_thousand_texts_are_compared_with_ten_thousand_in_seconds():
    seen, asked = sentences(10_000, seed=1), sentences(10_000, seed=2)
    start = time.perf_counter()
    found = Signatures.of(seen).near(asked)
    assert time.perf_counter() - start < 15
    assert found == [None] * len(asked)


# --- rows -------------------------------------------------------------------------------------------------


def test_a_row_is_a_copy_if_every_column_is_nearly_equal():
    one, other, third = sentences(3, words=60)
    rows = [
        (one, "yes"),
        (changed(one, 1), "yes"),
        (one, "no"),
        (other, "yes"),
        (third, "yes"),
        (third, "yes."),
    ]
    assert near_copies(rows) == [True, True, False, False, True, True]


def test_no_rows_have_no_copies():
    assert near_copies([]) == []


def test_rows_from_one_template_are_all_copies_without_comparing_each_with_each():
    template = " ".join(sentences(1, words=60))
    rows = [(f"{template} {number}",) for number in range(2000)]
    start = time.perf_counter()
    assert all(near_copies(rows))
    assert time.perf_counter() - start < 10
