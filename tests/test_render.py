"""Values as texts of tables."""

from __future__ import annotations

import pytest

from harness.render import named, number, one_line, plural, shortened, verb


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        pytest.param(0.25, ".4f", "0.2500", id="decimals"),
        pytest.param(12345, ",", "12,345", id="a whole number"),
        pytest.param(0.0, "g", "0", id="zero is a value"),
        pytest.param(None, ".4f", "–", id="a missing value"),
    ],
)
def test_a_number_has_its_format_and_a_missing_one_is_a_dash(value, form, expected):
    assert number(value, form) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("ten chars.", "ten chars.", id="as long as allowed"),
        pytest.param("eleven char", "eleven ch…", id="one longer"),
        pytest.param("the cut is here", "the cut i…", id="cut within a word"),
        pytest.param("cut after a space", "cut after…", id="no space before the dots"),
        pytest.param("two\n  li\x1b[3m", "two li [3m", id="on one line, without escape codes"),
        pytest.param("", "", id="empty"),
    ],
)
def test_a_shortened_text_is_one_line_of_at_most_so_many_characters(text, expected):
    assert shortened(text, 10) == expected


def test_one_line_keeps_the_joiners_of_persian_and_hindi():
    assert one_line("می\u200cخواهم\u2028x") == "می\u200cخواهم x"


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 judgments"),
        (1, "1 judgment"),
        (2, "2 judgments"),
        (1234567, "1,234,567 judgments"),
        (0.5, "0.5 judgments"),
    ],
)
def test_one_thing_has_no_s(count, shown):
    assert plural(count, "judgment") == shown


def test_an_irregular_plural_is_given_and_a_verb_agrees():
    assert [plural(count, "query", "queries") for count in (1, 2)] == ["1 query", "2 queries"]
    assert [verb(count, "names", "name") for count in (1, 2)] == ["names", "name"]


def test_a_single_further_name_is_named():
    assert named(["a", "b", "c", "d"]) == "a, b, c, d"
    assert named(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
