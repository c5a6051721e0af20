"""A record that describes a metric otherwise than the other models' is named, by majority."""

from __future__ import annotations

from dataclasses import replace

from conftest import evaluated

from harness.results.agreement import broken_where_disagreeing, disagreements


def reading(*columns, model="m", **changes):
    sound = evaluated(model, fingerprint=(model * 64)[:64], **changes)
    return replace(sound, scores=(replace(sound.scores[0], columns=columns),))


SOUND = [reading("gold", "predicted", model=name) for name in ("a", "b")]


def test_records_that_say_the_same_of_their_metrics_agree():
    assert disagreements(SOUND) == {}
    assert disagreements([]) == {}


def test_the_one_that_says_otherwise_is_named_whatever_its_place_and_the_others_stay():
    forged = reading("gold", "text_length", model="c")
    for place in range(3):
        rows = [*SOUND[:place], forged, *SOUND[place:]]
        problems = []
        found = broken_where_disagreeing(rows, problems)
        assert [one.status for one in found] == ["broken" if at == place else "ok" for at in range(len(rows))]
        (problem,) = problems
        assert problem == (
            "c on stsb: its spearman reads gold and text_length; in the records of 2 other models its"
            " spearman reads gold and predicted; it is not ranked"
        )


def test_of_two_that_disagree_both_are_named_since_neither_is_known_to_be_sound():
    forged = reading("gold", "text_length", model="c")
    found = disagreements([SOUND[0], forged])
    assert sorted(found) == [0, 1]
    assert all("`harness verify`" in why for why in found.values())


def test_another_headline_than_that_of_most_is_named():
    renamed = replace(SOUND[0], scores=(replace(SOUND[0].scores[0], metric="spearman_tuned"),))
    assert list(disagreements([*SOUND, renamed])) == [2]


def test_records_of_other_data_have_no_say():
    assert disagreements([SOUND[0], reading("gold", "text_length", model="c", digest="0" * 64)]) == {}


def test_a_record_without_predictions_of_a_kind_that_has_them_is_named():
    bare = replace(evaluated("c", task="other"), predictions=None)
    (position, why), *others = disagreements([SOUND[0], bare]).items()
    assert (position, others) == (1, [])
    assert "names no predictions" in why
    assert disagreements([replace(bare, kind="mteb"), SOUND[0]]) == {}
