"""What the check `rows` finds: scales, label noise, rows out of order, few answers, HTML, no triplets."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from conftest import LetterModel

from harness import Severity
from harness.training import CheckInput, ColumnFacts, Rows
from harness_train.labels import LABELS
from harness_train.rows import ROWS

MNRL, COSINE = "MultipleNegativesRankingLoss", "CosineSimilarityLoss"


def training(rows=None, loss="", **changes) -> CheckInput:
    return CheckInput(path="it", what="dataset", loss_name=loss, rows=rows, **changes)


def found(given: CheckInput) -> dict[str, tuple[Severity, str, str]]:
    return {one.code: (one.severity, one.evidence, one.remedy) for one in ROWS.look(given)}


def words(letters: str, count: int, seed: int) -> list[str]:
    """Draw texts of the given letters: to LetterModel, texts of the same letters are alike."""
    generator = np.random.default_rng(seed)
    return ["".join(generator.choice(list(letters), 12)) for _ in range(count)]


def pairs(left, right, labels=None, kind="pairs", **changes) -> Rows:
    return Rows(kind=kind, texts={"text1": left, "text2": right}, labels=labels, **changes)


# --- scales -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", [(0, 5), (1, 5), (0, 100), (-1, 1)])
def test_scores_in_another_scale_are_found_without_a_recipe(ends):
    low, high = ends
    scores = [low + part * (high - low) for part in (0.0, 0.3, 0.6, 1.0)]
    rows = pairs([f"left {n}" for n in range(4)], [f"right {n}" for n in range(4)], scores, "scored-pairs")
    severity, evidence, remedy = found(training(rows))["scores-in-another-scale"]
    assert severity is Severity.WARNING
    assert f"go from {low} to {high}" in evidence
    assert f"score_range = [{low}, {high}]" in remedy


def test_scores_from_0_to_1_and_cosines_of_a_teacher_are_in_scale():
    for low, loss in ((0.0, ""), (0.2, COSINE), (-0.2, COSINE), (-0.1, "CoSENTLoss")):
        rows = pairs(["a", "b", "c"], ["d", "e", "f"], [low, 0.5, 0.9], "scored-pairs")
        assert "scores-in-another-scale" not in found(training(rows, loss))


def test_a_cosine_of_minus_one_is_another_scale_and_a_ranking_loss_takes_any():
    rows = pairs(["a", "b", "c"], ["d", "e", "f"], [-1.0, 0.5, 1.0], "scored-pairs")
    assert "opposite directions" in found(training(rows, COSINE))["scores-in-another-scale"][1]
    assert not found(training(rows, "CoSENTLoss"))


def test_shown_scores_and_statistics_of_a_card_suffice():
    shown = pairs(["a", "b"], ["c", "d"], [4.0, 0.5], "scored-pairs", complete=False)
    assert found(training(shown, COSINE))["labels-out-of-range"][0] is Severity.ERROR
    column = ColumnFacts(name="label", type="float", low=-1.0, mean=0.1, high=1.0)
    text = ColumnFacts(name="sentence_0", type="string")
    assert "scores-in-another-scale" in found(training(None, COSINE, columns=(text, text, column)))


# --- batches ----------------------------------------------------------------------------------------------


def test_few_distinct_answers_are_counted_against_the_batch():
    left = [f"question {row} on a thing" for row in range(200)]
    few = pairs(left, [f"answer {row % 5}" for row in range(200)])
    _, evidence, _ = found(training(few))["few-distinct-answers"]
    assert "5 distinct answers" in evidence
    # Of 199 other rows 39 have the same answer: 1 - (1 - 39/199)^15.
    assert f"{1 - (1 - 39 / 199) ** 15:.0%} of the rows" in evidence
    apart = training(few, MNRL, batch_size=16, batch_sampler="no-duplicates")
    assert "at most 4 negatives" in found(apart)["few-distinct-answers"][1]
    many = pairs(left, [f"answer {row // 2}" for row in range(200)])
    assert "few-distinct-answers" not in found(training(many))


def labeled(labels, **changes) -> CheckInput:
    rows = Rows(
        kind="labeled-texts", texts={"text": [f"text {n}" for n in range(len(labels))]}, labels=labels
    )
    return training(rows, **changes)


@pytest.mark.parametrize(
    ("labels", "loss"),
    [
        pytest.param(list(range(20)), "BatchHardTripletLoss", id="every label once"),
        pytest.param(["a"] * 20, "BatchAllTripletLoss", id="one label"),
        pytest.param([1, 1.0] * 10, "", id="one label, written in two ways, without a recipe"),
    ],
)
def test_labels_of_which_no_triplet_can_be_formed_are_an_error(labels, loss):
    assert found(labeled(labels, loss=loss))["no-triplets"][0] is Severity.ERROR
    assert not found(labeled(labels, loss="SoftmaxLoss"))


def test_labels_that_hardly_recur_in_a_batch_are_found_unless_batches_are_drawn_by_label():
    labels = [row // 2 for row in range(1000)]
    given = labeled(labels, loss="BatchHardTripletLoss", batch_size=8, batch_sampler="default")
    # One other text of 999 has the label, and 7 are drawn.
    assert f"{7 / 999:.1%} of the texts" in found(given)["few-triplets"][1]
    assert not found(replace(given, batch_sampler="group-by-label"))
    assert not found(labeled(["a", "b"] * 50, loss="BatchHardTripletLoss", batch_size=8))


def test_a_card_with_one_label_shows_it():
    label = ColumnFacts(name="label", type="int", low=3, mean=3, high=3, shares={"3": 1.0})
    card = training(None, "BatchHardTripletLoss", columns=(label,), size=50)
    assert "no-triplets" in found(card)


# --- HTML and shown rows ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "<p>How much is it?</p>",
        'See <a href="/x">here</a> for it',
        "one<br/>two",
        "Fish &amp; chips",
        "it&#39;s",
    ],
)
def test_html_is_found(text):
    severity, evidence, _ = found(training(pairs([text, f"{text} again"], ["so", "then"])))["html-in-texts"]
    assert severity is Severity.WARNING
    assert "2 of 4 texts" in evidence


@pytest.mark.parametrize(
    "text",
    [
        "a < b and b > c, x & y",
        "def f(a):\n    if a < 1:\n        return '<br>'\n    return g(a);",
        "Use `<br>` to break a line",
        "List<String> names and AT&T; R&D",
        "use the <div> tag",
        "How do I center a <p> inside another <section>?",
        "Why is my <h1> not bold?",
        "Does BeautifulSoup find </span> without <span class='x'>?",
        "How is &nbsp; escaped in XML?",
    ],
)
def test_signs_and_code_are_no_html(text):
    assert not found(training(pairs([text, f"{text} again"], ["so", "then"])))


def test_pages_about_html_hold_html_and_questions_about_it_do_not():
    asked = ["Why is my <h1> not bold?", 'Is <a name="x">here</a> valid?', "Does <br> close <span>?"]
    assert "html-in-texts" not in found(training(pairs(asked, ["so", "then", "now"])))
    pages = [f"<p>{text} It is about the tag.</p>" for text in ("Why so?", "What for?", "Is it valid?")]
    assert "3 of 6 texts" in found(training(pairs(pages, ["so", "then", "now"])))["html-in-texts"][1]


def test_shown_rows_of_equal_texts_are_found_on_a_card():
    rows = pairs(["one", "two", "three"], ["one", " two", "three"], complete=False)
    assert found(training(rows))["positives-verbatim-equal"][0] is Severity.WARNING
    other = pairs(["one", "two", "three"], ["one", "two", "four"], complete=False)
    assert not found(training(other))


# --- rows out of order ------------------------------------------------------------------------------------


def questions(count: int, swapped: float = 0.0, seed: int = 0) -> Rows:
    """Questions and answers, which look unlike; in a share of the rows they are exchanged."""
    generator = np.random.default_rng(seed)
    left = [f"what is {word}?" for word in words("abcdefghijklmnop", count, seed)]
    right = [
        f"It is {' '.join(words('abcdefghijklmnop', int(generator.integers(4, 12)), 1000 * seed + row))}."
        for row in range(count)
    ]
    for row in generator.permutation(count)[: round(swapped * count)]:
        left[row], right[row] = right[row], left[row]
    return pairs(left, right)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_exchanged_columns_are_found_and_counted_without_a_model(share):
    _, evidence, _ = found(training(questions(150, share)))["columns-half-swapped"]
    assert f"In about {share:.0%} of 150 rows" in evidence


@pytest.mark.slow
def test_columns_in_order_and_texts_of_one_kind_are_not_called_exchanged():
    assert "columns-half-swapped" not in found(training(questions(150)))
    flagged = 0
    for seed in range(40):
        generator = np.random.default_rng(seed)
        texts = [
            [
                " ".join(words("abc", int(generator.integers(2, 9)), 999 * seed + 99 * side + row))
                for row in range(80)
            ]
            for side in (1, 2)
        ]
        flagged += "columns-half-swapped" in found(training(pairs(*texts)))
    assert flagged == 0


def test_a_recurring_text_in_the_wrong_column_is_an_exchanged_row():
    left, right = words("abcdefgh", 120, 3), ["claim one", "claim two", "claim six"] * 40
    for row in range(0, 24, 2):
        left[row], right[row] = right[row], left[row]
    assert "In about 10% of 120 rows (12)" in found(training(pairs(left, right)))["columns-half-swapped"][1]


def test_rows_that_are_there_in_both_orders_are_not_called_exchanged():
    rows = questions(120)
    left, right = rows.texts.values()
    both = pairs([*left, *right[:60]], [*right, *left[:60]])
    assert "columns-half-swapped" not in found(training(both))


def alphabet(count: int, seed: int) -> tuple[list[str], list[str]]:
    """Anchors and positives of the same letters, a few of the alphabet in each row."""
    generator = np.random.default_rng(seed)
    drawn = [
        "".join(generator.choice(list("abcdefghijklmnopqrstuvwxyz"), 6, replace=False)) for _ in range(count)
    ]
    return [text * 2 for text in drawn], [f"{text[::-1]}{text[:3]}" for text in drawn]


@pytest.mark.parametrize("share", [0.1, 1.0])
def test_shuffled_positives_are_found_and_their_share_is_estimated(share):
    left, right = alphabet(300, 1)
    assert "positives-shuffled" not in found(training(pairs(left, right), base=LetterModel))
    given = list(right)
    for place in range(count := round(share * 300)):
        given[place] = right[(place + 1) % count]
    _, evidence, _ = found(training(pairs(left, given), base=LetterModel))["positives-shuffled"]
    estimate, error = (int(part) for part in re.search(r"About (\d+)% \(± (\d+)%\)", evidence).groups())
    assert abs(estimate - 100 * share) <= max(error, 6)


def test_a_stock_answer_is_not_called_shuffled():
    left, right = alphabet(200, 1)
    stock = [f"thank you for your message {name}" for name in ("", "ann", "bo")]
    given = [stock[row % 3] if row % 4 == 0 else text for row, text in enumerate(right)]
    assert "positives-shuffled" not in found(training(pairs(left, given), base=LetterModel))


def test_where_no_positive_belongs_to_any_anchor_shuffling_is_only_noted():
    # The letters of a positive have nothing to do with those of any anchor.
    left, right = words("abcdefgh", 120, 1), words("abcdefghstuvwxyz", 120, 2)
    severity, evidence, _ = found(training(pairs(left, right), base=LetterModel))["positives-shuffled"]
    assert severity is Severity.NOTE
    assert "may not see what joins them" in evidence


@pytest.mark.parametrize("base", [None, LetterModel])
@pytest.mark.parametrize("share", [0.02, 0.05, 0.5])
def test_texts_that_changed_places_are_not_called_shuffled(share, base):
    towns = words("abcdefghijklmnopqrstuvwxyz", 150, 8)
    left = [f"Represent this sentence for searching relevant passages: Where is {town}?" for town in towns]
    right = [
        f"{town} is a town in the country {town[:3]}, about {n} metres high." for n, town in enumerate(towns)
    ]
    for row in range(round(share * 150)):
        left[row], right[row] = right[row], left[row]
    codes = found(training(pairs(left, right), base=base))
    assert "positives-shuffled" not in codes
    assert ("columns-half-swapped" in codes) == (share >= 0.05)


def test_positives_that_the_base_does_not_understand_are_not_called_shuffled():
    # A base that sees a weak relation: own positives share two letters of twelve with their anchors.
    generator = np.random.default_rng(2)
    left = words("abcdefghijklmnopqrstuvwxyz", 300, 5)
    right = [text[:5] + "".join(generator.choice(list("abcdefghijklmnopqrstuvwxyz"), 7)) for text in left]
    assert "positives-shuffled" not in found(training(pairs(left, right), base=LetterModel))


def triplets(share: float) -> Rows:
    anchors, positives = alphabet(200, 4)
    negatives = alphabet(200, 5)[1]
    for row in range(round(share * 200)):
        positives[row], negatives[row] = negatives[row], positives[row]
    return Rows(kind="triplets", texts={"anchor": anchors, "positive": positives, "negative": negatives})


def test_negatives_that_were_exchanged_in_part_are_found():
    assert not found(training(triplets(0.0), "TripletLoss", base=LetterModel))
    for share in (0.1, 0.5):
        codes = found(training(triplets(share), "TripletLoss", base=LetterModel))
        assert set(codes) == {"columns-half-swapped"}
        seen = re.match(r"In about (\d+)%", codes["columns-half-swapped"][1])
        assert abs(int(seen[1]) - 100 * share) <= 3


def test_triplets_with_positives_nearer_in_one_half_are_noted():
    # Positive and negative are drawn alike from the letters of their anchor.
    random = np.random.default_rng(6)
    anchors = alphabet(120, 4)[0]
    drawn = ["".join(random.choice(list(text), 8)) for text in (*anchors, *anchors)]
    texts = {"anchor": anchors, "positive": drawn[:120], "negative": drawn[120:]}
    rows = Rows(kind="triplets", texts=texts)
    severity, evidence, _ = found(training(rows, "TripletLoss", base=LetterModel))["columns-half-swapped"]
    assert severity is Severity.NOTE
    assert "as if drawn by chance" in evidence


def test_triplets_whose_negative_is_their_anchor_are_not_called_exchanged():
    rows = triplets(0.0)
    for count in (60, 200):
        negatives = [*rows.texts["anchor"][:count], *rows.texts["negative"][count:]]
        wrong = training(replace(rows, texts={**rows.texts, "negative": negatives}), base=LetterModel)
        assert not found(wrong)
        assert "columns-swapped" not in {one.code for one in LABELS.look(wrong)}


def test_shuffled_positives_beside_hard_negatives_are_not_called_exchanged():
    anchors, positives = alphabet(150, 4)
    # A negative has five of its anchor's six letters.
    negatives = [f"{text[:5]}{text[:5]}z" for text in anchors]
    texts = {"anchor": anchors, "positive": [*positives[1:], positives[0]], "negative": negatives}
    rows = Rows(kind="triplets", texts=texts)
    assert set(found(training(rows, "TripletLoss", base=LetterModel))) == {"positives-shuffled"}
    labels = [one.code for one in LABELS.look(training(rows, "TripletLoss", base=LetterModel))]
    assert "columns-swapped" not in labels


# --- label noise ------------------------------------------------------------------------------------------


def alike(count: int, flipped: float, seed: int, kind="labeled-pairs") -> Rows:
    """Pairs that share their letters (1) or not (0); a share of the labels is exchanged."""
    generator = np.random.default_rng(seed)
    left, right = alphabet(count, seed)
    labels = generator.integers(2, size=count)
    other = alphabet(count, seed + 500)[1]
    right = [own if label else away for own, away, label in zip(right, other, labels, strict=True)]
    wrong = generator.permutation(count)[: round(flipped * count)]
    labels[wrong] = 1 - labels[wrong]
    return pairs(left, right, labels.tolist(), kind)


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_flipped_labels_are_found_and_the_interval_holds_their_share(share):
    _, evidence, _ = found(training(alike(400, share, 7), base=LetterModel))["labels-flipped"]
    low, high = (int(part.strip("% ")) for part in evidence.split("(")[1].split(", from")[0].split("to"))
    assert low <= 100 * share <= high
    assert "With these rows a share from" in evidence


@pytest.mark.slow
@pytest.mark.parametrize(("share", "severity"), [(0.05, Severity.NOTE), (0.2, Severity.WARNING)])
def test_as_many_wrong_labels_as_people_make_are_a_note(share, severity):
    given, evidence, _ = found(training(alike(600, share, 11), base=LetterModel))["labels-flipped"]
    assert given is severity
    assert ("may be mistakes of people" in evidence) == (severity is Severity.NOTE)


@pytest.mark.slow
def test_clean_labels_are_not_called_flipped_and_a_handful_of_rows_is_silent():
    for seed in range(5):
        assert not found(training(alike(200, 0.0, 20 + seed), base=LetterModel))
    assert not found(training(alike(40, 0.2, 30), base=LetterModel))
    assert not found(training(alike(400, 0.2, 7)))  # without a base


@pytest.mark.slow
def test_shuffled_labels_have_no_signal():
    rows = alike(300, 0.0, 40)
    shuffled = np.random.default_rng(2).permutation(rows.labels).tolist()
    assert set(found(training(replace(rows, labels=shuffled), base=LetterModel))) == {"labels-without-signal"}


def two_groups(count: int, flipped: float, seed: int) -> Rows:
    """Pairs of the same letters (1) or of other ones (0), far apart; a share of the labels is exchanged."""
    generator = np.random.default_rng(seed)
    left = words("abcdef", count, seed)
    right = [
        *words("abcdef", count // 2, seed + 1),
        *words("uvwxyz", count - count // 2, seed + 2),
    ]
    labels = np.repeat([1, 0], [count // 2, count - count // 2])
    wrong = generator.permutation(count)[: round(flipped * count)]
    labels[wrong] = 1 - labels[wrong]
    return pairs(left, right, labels.tolist(), "labeled-pairs")


@pytest.mark.parametrize("share", [0.22, 0.35])
def test_labels_against_two_groups_far_apart_are_flipped_in_few_rows_too(share):
    severity, evidence, remedy = found(training(two_groups(120, share, 3), base=LetterModel))[
        "labels-flipped"
    ]
    assert severity is Severity.WARNING
    assert f"About {share:.0%} of the labels" in evidence
    assert "0 and 1 exchanged" in remedy
    assert not found(training(two_groups(120, 0.0, 3), base=LetterModel))


def test_labels_against_one_of_two_groups_alone_are_hard_pairs():
    rows = two_groups(160, 0.0, 5)
    hard = [0 if row < 80 and row % 3 == 0 else label for row, label in enumerate(rows.labels)]
    assert "labels-flipped" not in found(training(replace(rows, labels=hard), base=LetterModel))


def test_labels_that_the_base_hardly_sees_or_that_are_flipped_in_a_third_are_noted():
    severity, evidence, _ = found(training(alike(300, 0.4, 9), base=LetterModel))["labels-without-signal"]
    assert severity is Severity.NOTE
    assert "cannot be told from each other" in evidence


def test_shuffled_labels_are_never_called_flipped():
    rows, codes = alike(120, 0.0, 41), set()
    for seed in range(12):
        labels = np.random.default_rng(seed).permutation(rows.labels).tolist()
        codes |= set(found(training(replace(rows, labels=labels), base=LetterModel)))
    assert codes == {"labels-without-signal"}


def test_pairs_with_two_labels_are_not_called_flipped_too():
    rows = alike(200, 0.0, 42)
    left, right = rows.texts.values()
    twice = pairs([*left, *right], [*right, *left], [*rows.labels, *(1 - one for one in rows.labels)])
    assert not found(training(replace(twice, kind="labeled-pairs"), base=LetterModel))


def classes(wrong: float, seed: int = 3) -> Rows:
    """Texts of four groups of letters, labeled by group; a share of the labels is exchanged."""
    groups = ("abcdef", "ghijkl", "mnopqr", "stuvwx")
    texts = [text for number, letters in enumerate(groups) for text in words(letters, 60, seed + number)]
    labels = np.repeat(list("ABCD"), 60)
    generator = np.random.default_rng(seed)
    chosen = generator.permutation(240)[: round(wrong * 240)]
    labels[chosen] = labels[generator.permutation(chosen)]
    return Rows(kind="labeled-texts", texts={"text": texts}, labels=labels.tolist())


def test_classes_given_to_other_texts_are_found_in_part_and_in_whole():
    assert not found(training(classes(0.0), "BatchHardTripletLoss", base=LetterModel))
    assert "labels-flipped" in found(training(classes(0.3), "BatchHardTripletLoss", base=LetterModel))
    for seed in (3, 7, 8):
        whole = found(training(classes(1.0, seed), "BatchHardTripletLoss", base=LetterModel))
        assert set(whole) == {"labels-without-signal"}
