"""The ledger: what counts as a look, and what it does to the chance of an error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparison.said import comparison, gate_line, line
from harness import HarnessError
from harness.comparison.formats import to_json
from harness.comparison.gate import margin_gate
from harness.comparison.ledger import independent_looks, note_looks, read_ledger
from harness.comparison.looks import chance_of_one, looks_remarks, looks_sentence
from harness.comparison.markdown import markdown
from harness.comparison.notes import candidates_warning
from harness.comparison.result import ModelRef
from harness.comparison.sources import ModelResults

ROWS = "d" * 64


@pytest.fixture
def path(tmp_path):
    (tmp_path / "notes").mkdir()
    return tmp_path / "notes" / "ledger.jsonl"


def model(name) -> ModelResults:
    return ModelResults(name=name, fingerprint=name * 64, source="a folder", answered={})


def judge(path, *candidates, digest=ROWS, baseline="0", lines=None, **changes):
    """Note comparisons of one command; each candidate is a name, or several for one of several seeds."""
    lines = lines or (line(digest=digest),)
    base = model(baseline)
    made = [
        replace(comparison(*lines, **changes), baseline=_ref(baseline), candidate=_ref(each[0]))
        for each in candidates
    ]
    return note_looks(path, made, [(base, [model(name) for name in each]) for each in candidates])


def _ref(name):
    return ModelRef(name=name, fingerprint=name * 64, source="a folder")


def looks(path, *candidates, **changes):
    (first, *_), problems, noted = judge(path, *candidates, **changes)
    assert (problems, noted) == ([], True)
    return first.looks[0]


def test_candidates_are_counted_once_by_their_fingerprint_and_the_rows(path):
    assert looks(path, "a").candidates == 1
    assert looks(path, "a").candidates == 1, "the same candidate again is no new look"
    assert looks(path, "b").candidates == 2
    assert looks(path, "b", baseline="1").candidates == 2, "nor is it with another baseline"
    assert looks(path, "c", digest="e" * 64).candidates == 1, "other rows have not judged these"
    assert looks(path, "a", "b", "c", "f").candidates == 4, "looks of one command count each"


def test_the_same_rows_count_whatever_the_task_is_called(path):
    judge(path, "a", lines=(line("one", digest=ROWS), line("two", digest="e" * 64)))
    (found,) = judge(path, "b", lines=(line("other", digest=ROWS),))[0]
    assert [(each.task, each.candidates) for each in found.looks] == [("other", 2)]


def test_a_model_against_itself_is_no_look(path):
    assert looks(path, "0").candidates == 0
    assert looks(path, "a").candidates == 1


def test_training_seeds_are_one_candidate_in_any_order(path):
    assert looks(path, "abc").candidates == 1
    assert looks(path, "cab").candidates == 1
    assert looks(path, "ab").candidates == 2


def test_a_score_that_was_not_seen_is_no_look(path):
    nothing = replace(line(digest=ROWS), candidate=None)
    (found,), _, _ = judge(path, "a", lines=(nothing,))
    assert found.looks == ()
    assert read_ledger(path).notes == []


def test_candidates_of_one_command_are_corrected_together_and_others_are_not(path):
    first = looks(path, "a", "b", "c")
    assert (first.others, first.false_better) == (0, pytest.approx(0.025))
    assert first.lucky_pass == pytest.approx(1 - 0.975**3), "conditions of a gate are not corrected"
    again = looks(path, "a")
    assert (again.others, again.false_better) == (2, pytest.approx(1 - 0.975**3)), "the best of three, alone"


@pytest.mark.parametrize(
    ("commands", "looks"),
    [
        pytest.param(["a"], 1, id="one"),
        pytest.param(["abc"], 1, id="three, corrected together"),
        pytest.param(["a", "b", "c"], 3, id="one by one"),
        pytest.param(["a", "b", "c", "abc"], 3, id="a series is not safer by what follows"),
        pytest.param(["abc", "a"], 3, id="the best of three, alone"),
        pytest.param(["abc", "abcd"], 2, id="a further one, with all before"),
        pytest.param(["ab", "cd", "ac"], 4, id="the best of two pairs"),
    ],
)
def test_looks_are_independent_unless_they_were_corrected_together(commands, looks):
    assert independent_looks([set(names) for names in commands]) == looks


@given(st.lists(st.sets(st.sampled_from("abcdef"), min_size=1), max_size=8))
def test_a_further_command_never_lowers_the_number_of_looks(commands):
    counts = [independent_looks(commands[:end]) for end in range(len(commands) + 1)]
    assert counts == sorted(counts)
    assert counts[-1] <= len(set().union(*commands))


def test_the_chance_is_that_of_independent_tests_and_bounds_it_for_correlated_ones():
    """One baseline against k candidates without a gain: their statistics correlate by one half."""
    generator, looks_taken = np.random.default_rng(0), 10
    correlated = (generator.normal(size=(20_000, looks_taken)) + generator.normal(size=(20_000, 1))) / 2**0.5
    independent = generator.normal(size=(20_000, looks_taken))
    bound = chance_of_one(looks_taken)
    rates = [np.mean((drawn > 1.959964).any(axis=1)) for drawn in (independent, correlated)]
    assert rates[0] == pytest.approx(bound, abs=3 * (bound / 20_000) ** 0.5)
    assert rates[1] < bound


def test_a_second_look_is_said_in_table_sentence_markdown_and_json(path):
    judge(path, "a")
    judge(path, "b")
    (found,), _, _ = judge(path, "c")
    assert found.sentence.endswith(
        " 3 candidates have been judged on the examples of stsb:"
        " the chance of a false better among them is up to 7 %."
    )
    counted, remedy = looks_remarks(found)
    assert counted == (
        "looks: 3 candidates have been judged on the examples of stsb;"
        " a false better anywhere among them: up to 7.3 %"
    )
    assert "the Ladder" in remedy
    assert "3 candidates have been judged" in markdown([found])
    assert '"false_better": 0.0731' in to_json([found])


def test_a_gate_that_passes_says_the_chance_of_luck(path):
    judge(path, "a")
    equivalent = (line(verdict="equivalent", digest=ROWS),)
    (found,), _, _ = judge(path, "b", lines=equivalent, gate=(gate_line(),))
    assert looks_sentence(found) == (
        "2 candidates have been judged on the examples of stsb:"
        " the chance of a pass by luck among them is up to 5 %."
    )
    (failed,), _, _ = judge(path, "b", lines=equivalent, gate=(gate_line("worse"),), exit_code=1)
    assert looks_sentence(failed) == ""


def test_several_candidates_under_a_gate_are_warned_of_once_and_earlier_ones_count(path):
    gate, equivalent = margin_gate(0.01), (line(verdict="equivalent", digest=ROWS),)
    found, _, _ = judge(path, "a", "b", lines=equivalent, gate=(gate_line(),))
    warning = candidates_warning(found, gate)
    assert warning.startswith("2 candidates under one gate: if all")
    assert "up to 5 %" in warning
    said = " ".join([*looks_remarks(found[0]), looks_sentence(found[0])])
    assert "2 candidates have been judged" in said
    assert "by luck" not in said
    later, _, _ = judge(path, "c", "d", "e", lines=equivalent, gate=(gate_line(),))
    warning = candidates_warning(later, gate)
    assert warning.startswith("3 candidates under one gate, and 2 before on the same examples: if all")
    assert "up to 12 %, not 2.5 %" in warning
    assert "by luck" not in " ".join([*looks_remarks(later[0]), looks_sentence(later[0])])


def test_candidates_that_a_selection_corrects_for_are_one_look_at_the_gate(path):
    (first, *_), _, _ = judge(path, "a", "b", "c", gate=(gate_line(),), level=0.99)
    assert (first.looks[0].candidates, first.looks[0].lucky_pass) == (3, pytest.approx(0.025))
    assert "a pass of a gate by luck: up to 2.5 %" in " ".join(looks_remarks(first))
    (again, *_), _, _ = judge(path, "d", "e", gate=(gate_line(),), level=0.98)
    assert again.looks[0].lucky_pass == pytest.approx(1 - 0.975**2), "the best of three, and of two"


def test_the_first_look_weakens_nothing(path):
    (found,), _, _ = judge(path, "a")
    assert list(looks_remarks(found)) == ["looks: no other candidate has been judged on the examples of stsb"]
    assert found.sentence == comparison().sentence


def test_a_line_has_no_path_and_no_secret(path):
    judge(path, "a")
    written = path.read_text()
    assert str(path.parent) not in written
    assert "a folder" not in written
    (note,) = read_ledger(path).notes
    assert (note.task, note.models, note.exit_code) == ("stsb", ("0", "a"), 0)
    assert [(each.metric, each.verdict) for each in note.lines] == [("spearman", "better")]


def test_a_torn_last_line_is_named_and_not_counted_and_the_next_ones_are(path):
    judge(path, "a")
    judge(path, "b")
    path.write_bytes(path.read_bytes()[:-40])
    (found,), problems, noted = judge(path, "c")
    assert found.looks[0].candidates == 2
    assert noted
    assert problems == [f"line 2 of the ledger {path} is not whole, and is not counted"]
    (again,), problems, _ = judge(path, "c")
    assert again.looks[0].candidates == 2
    assert len(problems) == 1


@pytest.mark.parametrize("length", [0, 1, 12])
def test_a_first_line_that_was_torn_is_still_a_ledger(length, path):
    judge(path, "a")
    path.write_bytes(path.read_bytes()[:length])
    (found,), problems, noted = judge(path, "b")
    assert (found.looks[0].candidates, len(problems), noted) == (1, int(length > 0), True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"task,metric\n", "is not a ledger\n  hint: --ledger takes a new file", id="a CSV"),
        pytest.param(b'{"schema": 1}\n', "is not a ledger", id="another JSON"),
        pytest.param(b"PAR1\x00\xff", "is not a ledger", id="binary"),
    ],
)
def test_a_file_that_is_no_ledger_is_refused_and_left_as_it_is(content, message, path):
    path.write_bytes(content)
    for call in (lambda: read_ledger(path), lambda: judge(path, "a")):
        with pytest.raises(HarnessError, match=message):
            call()
    assert path.read_bytes() == content


def test_a_ledger_of_a_newer_version_is_refused(path):
    judge(path, "a")
    path.write_bytes(path.read_bytes().replace(b'{"ledger":1,', b'{"ledger":2,'))
    with pytest.raises(HarnessError, match="of a newer harness"):
        read_ledger(path)


def test_fields_that_a_later_version_adds_are_passed_over(path):
    judge(path, "a")
    path.write_bytes(path.read_bytes().replace(b'{"ledger":1,', b'{"ledger":1,"more":[1],'))
    assert looks(path, "b").candidates == 2


def test_no_file_is_an_empty_ledger(path):
    assert read_ledger(path).notes == []
    assert not path.exists()
