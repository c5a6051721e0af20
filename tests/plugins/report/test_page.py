"""The page as it is without JavaScript: complete, inert, and the same each time."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from harness.comparison.result import Speed
from harness.report.content import Doubt, ReportContent
from tests.plugins.report.boards import BASE, HOSTILE, LEXICAL, MINE
from tests.plugins.report.contents import content, many
from tests.plugins.report.page_parts import Parts, parts_of

pytest.importorskip("jinja2")
pytest.importorskip("vl_convert")

from harness_report.names import Names
from harness_report.page import leaderboard, page
from harness_report.page.templates import ranks_and_chance

if TYPE_CHECKING:
    from collections.abc import Iterator

SECTIONS = [
    "answer",
    "leaderboard",
    "comparison",
    "examples",
    "trade-off",
    "distributions",
    "training",
    "environment",
]


@pytest.fixture(scope="module")
def made() -> ReportContent:
    return content()


@pytest.fixture(scope="module")
def text(made: ReportContent) -> str:
    return page(made)


@pytest.fixture(scope="module")
def parts(text: str) -> Parts:
    return parts_of(text)


@pytest.fixture(scope="module")
def hostile() -> Parts:
    return parts_of(page(content(hostile=HOSTILE + "x" * 10_000)))


def scores(made: ReportContent) -> Iterator[float]:
    for board in made.boards:
        for row in board.rows:
            for score in row.scores:
                yield from (one for one in (score.score, score.low, score.high) if one is not None)


def gains(made: ReportContent) -> Iterator[float]:
    for one in made.compared[0].comparisons:
        for line in one.lines:
            yield from (line.gain, line.low, line.high)


def test_each_score_and_each_gain_is_on_the_page(made, parts):
    said = parts.text.replace("−", "-")
    assert not [one for one in scores(made) if f"{one:.3f}" not in said and f"{one:.4f}" not in said]
    assert not [one for one in gains(made) if f"{one:+.4f}" not in said]


def test_the_answer_is_said_before_any_table(made, text):
    before = parts_of(text[: text.index("<table")]).text.replace("−", "-")
    answer = made.answer
    for sentence in (*answer.sentences, answer.compared, answer.selection.sentence):
        assert sentence in before
    assert all(doubt.sentence in before for doubt in answer.doubts)
    assert all(line.sentence in before for line in answer.gate)


def test_the_outcome_names_whom_it_judges_and_is_green_only_without_reservation(made):
    def shown(**changes):
        answer = replace(made.answer, **{"others": (), "gate": (), **changes})
        found = re.search(r'<p class="result">(.*?)</p>', page(replace(made, answer=answer)), re.DOTALL)
        return " ".join(re.sub("<[^>]*>", " ", found[1]).split()), re.findall("is-[a-z-]+", found[1])

    assert shown(standing="passes") == (f"{MINE} : ✓ passes", ["is-passes"])
    undecided = made.answer.gate[1]
    assert shown(gate=(undecided,))[1] == ["is-undecided"]
    other = "lex2 has results that are missing or broken"
    said, looks = shown(others=(other,))
    assert said.endswith(other)
    assert looks == ["is-undecided"]
    nothing = "no gate · nothing significantly worse"
    assert shown(gated=False, standing=nothing) == (f"{MINE} : · {nothing}", ["is-no-gate"])
    worse = "no gate · significantly worse on 6 tasks"
    assert shown(gated=False, outcome="fails", standing=worse) == (f"{MINE} : ▼ {worse}", ["is-fails"])


def test_the_level_of_the_gate_is_said_at_its_conditions_and_beside_the_winner(parts):
    assert parts.text.lower().count("by intervals of 97.5 % each, since 2 candidates were looked at") == 2
    assert f"Conditions of the gate for {MINE}" in parts.text


def test_only_notes_of_little_weight_are_folded_and_never_a_single_one(made):
    def folded(minor):
        notes = tuple(
            Doubt(kind="note", severity="note", sentence=f"note {at}.", minor=at < minor) for at in range(12)
        )
        text = page(replace(made, answer=replace(made.answer, doubts=notes, warnings=("Beware.",))))
        card = text[text.index("What is doubtful") : text.index("<noscript>")]
        assert "Beware." in card.partition("<details>")[0]
        return re.findall("note [0-9]+[.]", card.partition("<details>")[2])

    assert folded(3) == ["note 0.", "note 1.", "note 2."]
    assert folded(0) == folded(1) == []


def test_sentences_of_candidates_with_missing_results_are_not_folded(made):
    first = made.compared[0]
    broken = tuple(replace(one, exit_code=2) for one in first.comparisons[:1] * 6)
    sentences = tuple(f"candidate {at}." for at in range(10))
    answer = replace(made.answer, sentences=sentences)
    made = replace(made, compared=(replace(first, comparisons=broken),), answer=answer)
    text = page(made)
    lists = text[: text.index('class="compared"')].partition("<details>")
    assert "candidate 6." in lists[0]
    assert "<summary>3 candidates more</summary>" in lists[2]


def test_a_minus_is_as_wide_as_a_plus_and_an_option_does_not_break(made):
    said = "gain -0.0018 [-0.0483, +0.0531] of run-0.1; --baseline NAME <b>"
    text = page(replace(made, answer=replace(made.answer, compared=said)))
    written = (
        'gain −0.0018 [−0.0483, +0.0531] of run-0.1; <span class="nowrap">--baseline</span> NAME &lt;b&gt;'
    )
    assert written in text


def test_what_letters_ranks_and_verdicts_hold_for_is_said(made):
    own = parts_of(leaderboard(made)).text
    assert "5 % for all pairs of a task together" in own
    assert "A rank interval begins at 1 + the models that are significantly better" in own
    assert "1–2 (80 %)" in own
    assert "models beaten" in own
    every = parts_of(page(replace(made, family="all"))).text
    assert every.count("all pairs of all tasks together") == 2
    assert "a verdict holds at 5 % for all these lines together" in every


def test_one_encoding_has_one_speed_on_the_page(made):
    first = made.compared[0]
    speed = Speed(baseline=45, candidate=45, ratio=1, low=None, high=None, source="one encoding")
    comparisons = (replace(first.comparisons[0], speed=speed),)
    text = parts_of(page(replace(made, compared=(replace(first, comparisons=comparisons),)))).text
    assert "Speed: 45 texts/s against 45, equal (one encoding)." in text


def test_sections_are_in_order_and_named_by_their_headings(parts):
    sections = parts.of("section")
    assert [one["id"] for one in sections] == SECTIONS
    ids = [attrs["id"] for _, attrs in parts.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    for attrs in (attrs for _, attrs in parts.elements):
        assert set((attrs.get("aria-labelledby") or "").split()) <= set(ids)


def test_headings_leave_no_level_out(parts):
    levels = [int(tag[1]) for tag, _ in parts.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_no_element_has_a_style_or_a_handler_of_its_own(parts, hostile):
    for page_parts in (parts, hostile):
        names = {name for _, attrs in page_parts.elements for name in attrs}
        assert "style" not in names
        assert not [name for name in names if name.startswith("on")]


def test_the_policy_has_the_hash_of_each_script_and_style(parts):
    policy = next(attrs["content"] for attrs in parts.of("meta") if "http-equiv" in attrs)
    assert "default-src 'none'" in policy
    for tag, attrs, code in parts.raw:
        if "type" in attrs:  # data, which is not run
            continue
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        directive = next(one for one in policy.split("; ") if one.startswith(f"{tag}-src"))
        assert f"'sha256-{digest}'" in directive


def test_the_page_loads_nothing(parts):
    for tag, attrs in parts.elements:
        assert tag not in ("link", "img", "iframe", "object", "base")
        assert "src" not in attrs
        assert (attrs.get("href") or "#").startswith("#")


def test_a_sentence_has_minus_signs_and_options_that_do_not_break():
    said = str(Names([]).said("m-1: gain -0.02 [-0.1, +0.2]; a --margin says <more> on 2026-11-30"))
    assert said == (
        'm-1: gain −0.02 [−0.1, +0.2]; a <span class="nowrap">--margin</span> says &lt;more&gt; on 2026-11-30'
    )


@pytest.mark.parametrize(
    ("rank", "best", "shown"),
    [
        ((1, 4), 0.49, "1–4 (49 %)"),
        ((2, 2), 0.0, "2 (0 %)"),
        ((1, 2), 0.999, "1–2 (> 99 %)"),
        (None, None, "–"),
    ],
)
def test_a_rank_is_shown_with_the_chance_to_lead(made, rank, best, shown):
    assert ranks_and_chance(replace(made.boards[0].rows[0], rank=rank, best=best)) == shown


def test_a_model_with_other_data_than_the_ranking_is_said_not_to_be_comparable(made):
    first = next(board for board in made.boards if board.task in made.rankings[0].tasks)
    lone = replace(
        first,
        id="other",
        limit=9,
        origin="files, limit 9",
        apart=(),
        rows=(replace(first.rows[0], model="lone"),),
    )
    other = replace(
        made, boards=(*made.boards, lone), models=(*made.models, replace(made.models[0], name="lone"))
    )
    for said in (page(other), leaderboard(other)):
        assert (
            f"lone : only {first.task} (files, limit 9), which is not comparable with" in parts_of(said).text
        )


def test_a_hostile_text_adds_no_element(parts, hostile):
    assert {tag for tag, _ in hostile.elements} <= {tag for tag, _ in parts.elements} | {"details", "summary"}
    assert len(hostile.of("script")) == len(parts.of("script"))
    assert "alert(1)" in hostile.text
    assert not re.search("[\x00-\x08\u202a-\u202e]", hostile.text)


def test_a_name_of_ten_thousand_characters_is_shortened_everywhere(hostile):
    assert len(max(hostile.text.split(), key=len)) < 700  # the longest is the text of an example


def test_the_content_is_embedded_without_its_examples(made, parts):
    embedded = json.loads(parts.script("content"))
    assert embedded["title"] == made.title
    assert embedded["examples"] == []
    assert [board["id"] for board in embedded["boards"]] == [board.id for board in made.boards]
    assert "<" not in parts.script("content")


def test_examples_are_packed_by_board(made, parts):
    for examples in made.examples:
        packed = base64.b64decode(parts.script(f"examples-{examples.board}"))
        assert json.loads(gzip.decompress(packed))["ids"] == list(examples.ids)


def test_figures_are_embedded_with_empty_rows(parts):
    figures = json.loads(parts.script("figures"))
    assert set(figures) >= {"intervals", "forest", "forgetting", "trade-off", "agreement", "training"}
    for figure in figures.values():
        rows = next(one for one in figure["data"] if one["name"] == "rows")
        assert rows["values"] == []


def test_each_figure_has_a_title_and_a_description(parts):
    figures = [attrs for attrs in parts.of("svg") if attrs.get("role") == "img"]
    assert len(figures) == len(parts.of("desc")) == len(parts.of("title")) - 1
    assert len(figures) > 10


def test_the_same_content_gives_the_same_bytes(text):
    assert page(content()) == text


def test_without_texts_there_is_none(made, text):
    quiet = replace(content(texts=False), distributions=(), trainings=(), compared=made.compared[:1])
    said = page(quiet)
    assert "playing guitar" in text
    assert "playing guitar" not in said
    assert "Murder" not in said
    packed = base64.b64decode(parts_of(said).script("examples-stsb"))
    assert b"guitar" not in gzip.decompress(packed)


def test_a_verdict_has_a_sign_and_a_word(text):
    for verdict, sign in (("better", "▲"), ("worse", "▼"), ("inconclusive", "?")):
        assert re.search(
            rf'is-{verdict}"><span class="sign" aria-hidden="true">{re.escape(sign)}</span> {verdict}', text
        )


def test_what_is_not_comparable_says_why(parts):
    assert "old-minilm on stsb was asked something else: limit: 100, not all" in parts.text
    assert "stsb-dev : limit: 100 against all" in parts.text


def test_a_table_scrolls_in_a_place_that_has_the_focus_and_a_name(text):
    tables = text.count("<table")
    scrollers = re.findall(
        r'<div class="scroller" tabindex="0" role="region" aria-label="[^"]+">\s*<table', text
    )
    assert tables == len(scrollers) > 5


def test_a_single_model_has_neither_a_comparison_nor_examples(made):
    alone = replace(
        made,
        answer=replace(made.answer, outcome="no-candidate", gate=(), selection=None),
        compared=(),
        examples=(),
        trade_off=(),
        distributions=(),
        trainings=(),
    )
    parts = parts_of(page(alone))
    assert [one["id"] for one in parts.of("section")] == ["answer", "leaderboard", "environment"]
    assert {"href": "#comparison"} not in parts.of("a")


def test_a_leaderboard_alone_has_no_script():
    parts = parts_of(leaderboard(many(10, 20)))
    assert not parts.of("script")
    assert len(parts.of("table")) == 41
    rows = [attrs for attrs in parts.of("tr") if "data-model" in attrs]
    assert len(rows) == 10


def test_models_are_in_the_order_of_the_ranking(parts):
    assert [attrs["data-model"] for attrs in parts.of("tr") if "data-model" in attrs] == [MINE, BASE, LEXICAL]


def test_of_fifty_candidates_most_are_folded_and_the_number_of_figures_is_bounded(made):
    first = made.compared[0]
    comparisons = tuple(
        replace(one, candidate=replace(one.candidate, name=f"candidate-{at}"))
        for at, one in enumerate(first.comparisons[:1] * 50)
    )
    crowd = replace(
        made, compared=(replace(first, comparisons=comparisons),), distributions=(), examples=(), trainings=()
    )
    parts = parts_of(page(crowd))
    assert "38 candidates more" in parts.text
    assert len([attrs for attrs in parts.of("svg") if attrs.get("role") == "img"]) <= 14
    assert "candidate-49" in parts.text


def test_a_single_candidate_is_not_said_to_have_had_the_luck_of_the_best(made):
    selection = made.answer.selection
    text = parts_of(page(made)).text
    assert "gain without the luck of the best" in text
    assert "95 % interval after selection" in text
    alone = replace(selection, candidates=selection.candidates[:1])
    text = parts_of(page(replace(made, answer=replace(made.answer, selection=alone)))).text
    assert "luck of the best" not in text
    assert "after selection" not in text.replace(selection.sentence, "")
