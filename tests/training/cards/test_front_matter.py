"""The front matter of a third-party card: a few bytes never grow into many."""

from __future__ import annotations

import re
import time

import pytest
import yaml

from harness import HarnessError
from harness.system.front_matter import cut_front_matter


def front(text):
    return cut_front_matter(f"---\n{text}\n---\n# A model\n", "card.md")[0]


def lines(first, repeated, count=12):
    """Write a first table or list, and others that each name the one before ten times."""
    later = [f"a{n}: &a{n} {repeated.format(', '.join([f'*a{n - 1}'] * 10))}" for n in range(1, count)]
    return "\n".join([f"a0: &a0 {first}", *later])


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        pytest.param(lines("[x]", "[{}]"), "HARNESS_MAX_CARD_VALUES", id="lists"),
        pytest.param(
            lines("[" + "x," * 99 + "]", "[{}]"), "HARNESS_MAX_CARD_BYTES", id="lists of many words"
        ),
        pytest.param(lines("{k: v}", "{{b: [{}]}}"), "HARNESS_MAX_CARD_VALUES", id="tables"),
        pytest.param(
            f"a: &a {'x' * 9_000}\ntags: [{', '.join(['*a'] * 900)}]", "HARNESS_MAX_CARD_BYTES", id="a text"
        ),
        pytest.param("a: &a [*a]", "HARNESS_MAX_DEPTH", id="a list that holds itself"),
        pytest.param("a: &a {b: *a}", "HARNESS_MAX_DEPTH", id="a table that holds itself"),
        pytest.param("a: " + "{a: " * 1_000, "HARNESS_MAX_DEPTH", id="tables in tables without end"),
    ],
)
def test_a_value_beyond_a_limit_is_refused_with_the_name_of_the_limit(text, limit):
    with pytest.raises(HarnessError, match=rf"(?s)card\.md.*{limit}=…"):
        front(text)


def test_an_alias_counts_as_if_it_were_written_out(monkeypatch):
    monkeypatch.setenv("HARNESS_MAX_CARD_VALUES", "7")
    text = "a: &a [[x], {y: z}]\nb: *a"
    assert front(text) == {"a": [["x"], {"y": "z"}], "b": [["x"], {"y": "z"}]}
    with pytest.raises(HarnessError, match="10 lists and tables"):
        front(f"{text}\nc: *a")


def test_a_merge_key_is_refused_before_it_copies_anything():
    with pytest.raises(HarnessError, match="not YAML in line 3: a merge key is not read"):
        front("a: &a {k: v}\nb: {<<: [*a, *a]}")
    with pytest.raises(HarnessError, match="a merge key is not read"):
        front("b: {!!merge x: {k: v}}")


def test_lists_that_a_writer_shared_are_read():
    shared = ["en", "de"]
    text = yaml.dump({"language": shared, "languages": shared})  # as the hub's library writes
    assert "*id001" in text
    assert front(text) == {"language": shared, "languages": shared}


@pytest.mark.parametrize("text", ["1:30", "-1:30:59", "0" + ":0" * 200 + ":0.5", "1" + ":1" * 30_000])
@pytest.mark.parametrize("tag", ["", "!!int ", "!!float "])
def test_numbers_to_the_base_60_are_texts_and_take_no_time(tag, text):
    started = time.process_time()
    assert front(f"a: {tag}{text}") == {"a": text}
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12), ("1_000", 1000), ("0x1f", 31), ("0.5", 0.5), ("1e-5", "1e-5"), ("-.inf", float("-inf"))],
)
def test_other_numbers_are_numbers(text, value):
    assert front(f"a: {text}") == {"a": value}


def test_the_published_cards_are_read_as_pyyaml_reads_them(five_cards):
    for path in five_cards.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        written = re.split(r"^---\n", text, flags=re.MULTILINE)[1]
        assert cut_front_matter(text, path.name)[0] == yaml.safe_load(written)
