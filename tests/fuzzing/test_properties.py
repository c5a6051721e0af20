"""What holds of small grammars whatever is written in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cli.options import read_columns
from harness.cli.train_plan import _change
from harness.comparison.gate import read_gate
from harness.errors import LONGEST, HarnessError
from harness.render import cell_text
from harness.results.leaderboard import _parse_cell
from harness.system.paths import file_name
from harness.tasks.selection import split_words
from harness.tasks.templates import render
from harness.training.cards.markdown import cells, number, parse_settings

TEXTS = st.text(st.characters(codec="utf-8"))
NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(TEXTS, NAMES, TEXTS, TEXTS)
def test_a_template_is_its_own_text_with_the_field_put_in(before, name, value, after):
    written = [text.replace("{", "{{").replace("}", "}}") for text in (before, after)]
    assert render(f"{written[0]}{{{name}}}{written[1]}", {name: value}) == before + value + after


@given(TEXTS)
def test_a_template_is_rendered_or_refused(template):
    try:
        assert isinstance(render(template, {"a": "b"}), str)
    except HarnessError as error:
        assert "template" in error.message


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="|\\\n\r")).map(str.strip), min_size=1)
)
def test_a_line_of_a_table_is_read_cell_by_cell(row):
    assert cells(f"| {' | '.join(row)} |") == row


@given(FINITE)
def test_a_number_of_a_card_is_read_as_it_was_written(value):
    assert number(f"**{value!r}**") == value
    assert parse_settings(f"- `learning_rate`: {value!r}") == [("learning_rate", repr(value))]


@given(NAMES, TEXTS.filter(bool))
def test_a_column_is_ours_up_to_the_first_equals_sign(ours, theirs):
    assert read_columns([f"{ours}={theirs}"]) == {ours: theirs}


@given(NAMES, st.integers(-(2**63), 2**63 - 1) | FINITE | st.booleans() | st.text('abc "\\é'))
def test_a_change_is_a_key_and_a_value_of_toml(key, value):
    assert _change(f"{key}={json.dumps(value)}") == (key, value)


@given(st.lists(st.from_regex(r"[^,\s]([^,]*[^,\s])?", fullmatch=True)))
def test_words_are_split_at_commas_and_put_together_again(given_words):
    assert split_words([",".join(given_words)]) == given_words


@given(task=TEXTS.filter(bool), rule=st.sampled_from(["margin", "gain", "min"]), value=st.floats(0, 1e9))
def test_a_condition_of_a_gate_is_read_as_it_was_written(task, rule, value, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "gate.toml"
    path.write_text(f"[[line]]\ntask = {_toml(task)}\n{rule} = {value!r}\n", encoding="utf-8", newline="")
    (condition,) = read_gate(path).conditions
    assert (condition.task, condition.rule, condition.threshold) == (task, rule, value)


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


@given(TEXTS)
def test_a_cell_of_a_leaderboard_is_read_back_and_is_no_formula(text):
    cell = cell_text(text)
    assert not cell.startswith(("=", "+", "-", "@"))
    assert _parse_cell("model", cell) == text


@given(TEXTS, TEXTS)
def test_two_names_never_share_a_file(one, other):
    assert (file_name(one) == file_name(other)) == (one == other)
    assert Path(file_name(one)).name == file_name(one)


@pytest.mark.parametrize("length", [LONGEST, LONGEST + 1, 10**6], ids=["kept", "cut", "a whole file"])
def test_a_line_of_an_error_is_no_longer_than_a_person_reads(length):
    shown = str(HarnessError("x" * length, exists=f"{'y' * length}\nz", hint="h"))
    assert max(map(len, shown.splitlines())) <= LONGEST + 3 + 2
    assert shown.endswith("  z\n  hint: h")
