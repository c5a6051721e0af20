"""The study of checks: its page agrees with its result, and a small part of it is asked again."""

from __future__ import annotations

import itertools
from collections import Counter
from fnmatch import fnmatchcase

import pytest

from benchmarks.checks import pages
from benchmarks.checks.card_faults import CARD_FAULTS, scores_set
from benchmarks.checks.cards.read import INVERTED, INVERTED_UNSEEN, ask_cards, cards, inverted_cards
from benchmarks.checks.cards.truths import ranks_in_reverse, true_of_card
from benchmarks.checks.consequences import CLAIMED_FROM, CONSEQUENCES
from benchmarks.checks.dataset import HALVES, half_of
from benchmarks.checks.faults import FAULTS, seeded
from benchmarks.checks.measure import CLEAN, Answer, Asker
from benchmarks.checks.sources import SOURCES, read
from benchmarks.checks.tally import totals, without_true
from harness import load_model

NAMES = {fault.name for fault in (*FAULTS, *CARD_FAULTS)} | {INVERTED, INVERTED_UNSEEN}
BY_NAME = {source.name: source for source in SOURCES}


@pytest.fixture(scope="module")
def asker():
    return Asker(load_model("lexical"))


def test_the_page_has_the_figures_of_the_committed_result():
    page = pages.PAGE.read_text(encoding="utf-8")
    assert pages.written(page, pages.read_result()) == page, "run: python -m benchmarks.checks.pages"


def test_every_pattern_of_the_table_of_consequences_matches_a_fault():
    patterns = {pattern for faults in CONSEQUENCES.values() for pattern in faults}
    unmatched = {each for each in patterns if not any(fnmatchcase(name, each) for name in NAMES)}
    assert not unmatched
    assert set(CLAIMED_FROM) <= NAMES


def test_the_half_of_a_data_set_depends_on_the_table_alone():
    halves = Counter((source.kind, half_of(source, SOURCES)) for source in SOURCES)
    for kind in {source.kind for source in SOURCES}:
        assert abs(halves[kind, HALVES[0]] - halves[kind, HALVES[1]]) <= 1


def test_a_larger_share_of_a_fault_holds_the_rows_of_a_smaller_one():
    fault = next(fault for fault in FAULTS if fault.name == "HTML")
    clean = read(BY_NAME["answers"], None)
    plain = clean.first(fault.most_rows).rows.texts["text1"]
    changed = [
        {row for row, text in enumerate(wrong.rows.texts["text1"]) if text != plain[row]}
        for _, wrong in seeded(clean, fault)
    ]
    assert len(changed[0]) == 2
    assert all(smaller < larger for smaller, larger in itertools.pairwise(changed))


@pytest.mark.parametrize("name", ["answers", "events-labeled", "intents", "sample-stsb"])
def test_nothing_is_said_of_clean_rows(name, asker):
    answer = asker.ask(read(BY_NAME[name], None), CLEAN, 0.0, "recipe")
    assert [code for code, severity in answer.findings if severity != "note"] == []


@pytest.mark.parametrize(
    "name", ["HTML", "template {{ x }}", "records", "empty texts", "missing texts", "mojibake"]
)
def test_a_fault_in_a_fifth_of_the_rows_is_found_and_nothing_else(name, asker):
    fault = next(fault for fault in FAULTS if fault.name == name)
    wrong = dict(seeded(read(BY_NAME["events"], None), fault))[0.2]
    counted = totals([asker.ask(wrong, name, 0.2, "recipe")])
    assert (counted["claimed"], counted["found"]) == (1, 1)
    assert counted["right"] == counted["findings"]


def test_of_a_kept_card_nothing_is_said_and_its_faults_are_found(asker):
    answers = [without_true(answer) for answer in ask_cards(asker, most=1)]
    assert cards()
    assert totals(answers)["clean_findings"] == 0
    assert sum(answer.fault != CLEAN for answer in answers) >= 8


def test_most_cards_of_trainings_with_inverted_labels_show_a_ranking_in_reverse_and_sound_ones_never():
    shown = {name for name, text in inverted_cards().items() if ranks_in_reverse(text)}
    assert len(shown) == 5
    assert not any("with-dev" in name for name in shown)
    assert not any(ranks_in_reverse(text) for text in cards().values())


CARD = """- type: dev_accuracy
  value: 0.5
    - type: accuracy
      value: {reported}
- `load_best_model_at_end`: {kept}
| Epoch | Step | Training Loss | dev_accuracy |
|:-----:|:----:|:-------------:|:------------:|
| 1.0   | 20   | 0.5           | {first}      |
| **2.0** | **40** | -         | **{last}**   |
"""


@pytest.mark.parametrize(
    ("first", "last", "reported", "kept", "true"),
    [
        (0.9, 0.7, 0.7, "False", {"best-not-kept"}),
        (0.9, 0.88, 0.88, "False", set()),
        (0.9, 0.7, 0.7, "True", set()),
        (0.9, 0.7, 0.9, "False", set()),
        (1.0, 0.9995, 0.9995, "False", {"evaluation-at-ceiling"}),
        (90.0, 89.0, 89.0, "False", set()),
    ],
)
def test_what_is_true_of_a_card_is_read_from_its_log(first, last, reported, kept, true):
    text = CARD.format(first=first, last=last, reported=reported, kept=kept)
    codes = ("best-not-kept", "evaluation-at-ceiling", "html-in-texts")
    assert {code for code in codes if true_of_card(code, text)} == true


def test_set_scores_leave_the_heads_of_tables_and_the_log_as_they_are():
    log = "| Epoch | Step | dev_accuracy |\n| 1.0 | 20 | - |\n"
    table = "| Metric | Value |\n| **cosine_accuracy** | **0.9** |\n"
    front = "    - type: cosine_accuracy\n      value: 0.9\n"
    changed = scores_set(r"[^|\n]*?", "1.0")(front + log + table)
    assert changed == front.replace("0.9", "1.0") + log + table.replace("**0.9**", "1.0")


def test_a_finding_that_is_true_of_the_rows_is_known_by_its_words():
    def said(evidence):
        findings = (("mojibake", "warning"),)
        return Answer(
            subject="stsb-news", half=HALVES[1], fault=CLEAN, share=0.0, how="bare", findings=findings,
            evidence=(evidence,),
        )  # fmt: skip

    assert not without_true(said("6 texts, such as 'panda‚Äôs' for 'panda’s'.")).findings
    assert without_true(said("6 texts, such as 'Ã¶' for 'ö'.")).findings


def test_precision_counts_findings_and_recall_counts_sets():
    def answer(fault, share, *findings):
        return Answer(subject="it", half=HALVES[1], fault=fault, share=share, how="recipe", findings=findings)

    counted = totals(
        [
            answer(CLEAN, 0.0, ("html-in-texts", "warning"), ("near-duplicates", "note")),
            answer("HTML", 0.2, ("html-in-texts", "warning"), ("labels-inverted", "error")),
            answer("labels inverted", 0.05, ("labels-flipped", "warning")),
            answer("labels inverted", 0.1),
        ]
    )
    assert (counted["findings"], counted["right"]) == (4, 2)
    assert (counted["errors"], counted["errors_right"]) == (1, 0)
    # Five per cent of inverted labels are fewer than the check claims to see.
    assert (counted["claimed"], counted["found"]) == (2, 1)
    assert (counted["clean"], counted["clean_findings"]) == (1, 1)
