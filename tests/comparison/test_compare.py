"""Comparisons of two results folders: pairing, refusals, broken results, verdicts."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import evaluated
from scipy.stats import binomtest

from comparison.made import CORRECT, SPEARMAN, answer, pairs, reseal, right
from harness.comparison.compare import CompareOptions, compare
from harness.comparison.formats import to_junit
from harness.comparison.gate import Condition, Gate, margin_gate
from harness.comparison.sources import read_results
from harness.errors import HarnessError
from harness.finding import Finding, Severity
from harness.metrics.interface import Metric
from harness.metrics.standard import MACRO_F1, PEARSON, mean_metric
from harness.models.interface import Settings
from harness.results.folder import ResultsFolder, sealed


def options(**changes):
    return replace(CompareOptions(tasks={}), **changes)


def ask(base="base", cand="cand", **changes):
    """Compare the only models of two folders."""
    (baseline,), (candidate,) = read_results(Path(base)), read_results(Path(cand))
    (found,) = compare([(baseline, [candidate])], options(**changes))
    return found


def both(base, cand, task="quiz", **columns):
    answer("base", "base", task, correct=base, **columns)
    answer("cand", "cand", task, correct=cand, **columns)


# --- verdicts ---------------------------------------------------------------------------------------------


def test_an_error_that_makes_a_score_meaningless_is_noted():
    leak = Finding("train-test-overlap", Severity.ERROR, "of 4 of 4 examples every text was trained on")
    answer("base", "base", correct=right(0.5))
    doubt = Finding("truncated", Severity.WARNING, "one text was cut")
    answer("cand", "cand", correct=right(0.9), findings=(leak, doubt))
    assert ask().notes == ("quiz: train-test-overlap of cand: of 4 of 4 examples every text was trained on",)


def test_a_model_against_itself_from_another_run_is_equivalent_and_noted():
    for folder in ("base", "again"):
        answer(folder, "base", "sts", metrics=(SPEARMAN, PEARSON), **pairs(1.0))
        answer(folder, "base", correct=right(0.7))
    found = ask("base", "again")
    (note,) = found.notes
    assert note.startswith("the same model on both sides (")
    assert note.endswith("): base of base and base of again")
    assert {line.verdict for line in found.lines} == {"equivalent"}
    assert {(line.gain, line.low, line.high, line.p) for line in found.lines} == {(0.0, 0.0, 0.0, 1.0)}
    assert found.exit_code == 0
    assert ask("base", "again", gate=margin_gate(0.0)).exit_code == 0


@pytest.mark.parametrize(
    ("left", "right_"),
    [
        pytest.param("base", "base", id="the same folder"),
        pytest.param("base", "./base/../base", id="another spelling"),
        pytest.param("base", "link", id="a link to it"),
        pytest.param("base", "base/leaderboard.csv", id="its own leaderboard"),
        pytest.param("bare.csv", "bare.csv", id="a copied leaderboard"),
        pytest.param("base", "linked", id="a folder whose records are linked"),
    ],
)
def test_records_that_are_compared_with_themselves_are_a_mistake(left, right_):
    answer("base", "base", correct=right(0.7))
    shutil.copy("base/leaderboard.csv", "bare.csv")
    Path("link").symlink_to("base")
    Path("linked").mkdir()
    for part in ("records", "predictions"):
        Path("linked", part).symlink_to(Path("base", part).absolute())
    with pytest.raises(HarnessError, match="baseline and candidate are the same results: base of"):
        ask(left, right_)


def test_one_model_under_two_names_is_compared_and_noted():
    for name in ("one", "two"):
        answer("both", name, fingerprint="f" * 64, correct=right(0.7))
    baseline, candidate = read_results(Path("both"))
    (found,) = compare([(baseline, [candidate])], options(gate=margin_gate(0.0)))
    assert found.exit_code == 0
    assert found.notes == ("the same model on both sides (ffffffff): one of both and two of both",)


def test_a_clear_difference_is_better_or_worse():
    both(right(0.6), right(0.8))
    found = ask()
    (line,) = found.lines
    assert (line.verdict, found.exit_code) == ("better", 0)
    assert line.gain == pytest.approx(line.candidate - line.baseline)
    assert line.low > 0
    turned = ask("cand", "base")
    assert (turned.lines[0].verdict, turned.exit_code) == ("worse", 1)
    assert turned.lines[0].gain == pytest.approx(-line.gain)
    assert turned.lines[0].p == line.p


def test_the_p_value_of_flips_is_that_of_the_binomial_test():
    base, cand = right(0.7, seed=1), right(0.7, seed=2)
    both(base, cand)
    gained, lost = int(((cand == 1) & (base == 0)).sum()), int(((cand == 0) & (base == 1)).sum())
    exact = binomtest(min(gained, lost), gained + lost, 0.5).pvalue
    point = binomtest(min(gained, lost), gained + lost, 0.5, alternative="less").pvalue
    assert point < ask().lines[0].p <= exact


def test_verdicts_are_corrected_over_all_lines_and_conditions_of_a_gate_are_not():
    base = right(0.7)
    cand = base.copy()
    cand[np.flatnonzero(base)[:7]] = 0  # seven lost, none gained: p is 1/128
    both(base, cand)
    alone = ask()
    assert alone.lines[0].verdict == "worse"
    for number in range(9):
        both(right(0.5, seed=number), right(0.5, seed=number + 50), f"other{number}")
    among = ask(gate=margin_gate(0.3))
    (line,) = [one for one in among.lines if one.task == "quiz"]
    assert line.p == alone.lines[0].p
    assert 9 * line.p < line.p_adjusted <= 10 * line.p * (1 + 1e-9)
    assert line.verdict == "equivalent"
    assert (line.low, line.high) == (alone.lines[0].low, alone.lines[0].high)


def test_a_sentence_names_the_levels_where_gate_and_verdict_differ():
    base = right(0.5)
    cand = base.copy()
    cand[np.flatnonzero(base)[:8]] = 0  # eight lost, none gained: p is 1/256
    both(base, cand)
    for number in range(19):
        both(right(0.5, seed=number), right(0.5, seed=number + 50), f"other{number}")
    gate = Gate(conditions=(Condition(rule="margin", threshold=0.0, task="quiz"),))
    found = ask(gate=gate)
    assert (found.exit_code, found.gate[0].outcome) == (1, "fails")
    levels = "(verdicts corrected over all lines, the gate not)"
    assert found.sentence.endswith(f"{levels}. The gate fails: quiz (margin 0: fails).")
    assert levels not in ask(gate=gate, only=frozenset({"quiz"})).sentence


def test_significantly_worse_within_the_margin_passes_and_says_so():
    both(right(0.80, 4000), right(0.785, 4000))
    found = ask(gate=margin_gate(0.05))
    (line,) = found.lines
    assert (line.verdict, line.within_margin, found.exit_code) == ("worse", True, 0)
    assert "within the margin" in found.sentence


def test_fewer_than_ten_units_have_scores_and_no_verdict():
    both([1.0, 0.0] * 4, [1.0] * 8)
    found = ask(gate=margin_gate(0.01))
    (line,) = found.lines
    assert (line.gain, line.low, line.p) == (0.5, None, None)
    assert line.reason == "8 independent units are too few: an interval needs 10"
    assert found.exit_code == 4


def test_examples_that_share_a_cluster_are_one_unit():
    cluster = [f"c{row // 20}" for row in range(400)]
    both(right(0.6), right(0.7, seed=3), cluster=cluster)
    (line,) = ask().lines
    assert (line.examples, line.clusters, line.effective_clusters) == (400, 20, 20)


def test_the_gain_of_a_correlation_is_the_difference_of_both_correlations():
    from scipy.stats import spearmanr

    left, right_ = pairs(1.0), pairs(0.5)
    answer("base", "base", "sts", metrics=(SPEARMAN,), **left)
    answer("cand", "cand", "sts", metrics=(SPEARMAN,), **right_)
    (line,) = ask().lines
    expected = [spearmanr(one["gold"], one["predicted"]).statistic for one in (left, right_)]
    assert (line.baseline, line.candidate) == pytest.approx(expected, abs=1e-12)
    assert line.verdict == "better"


# --- what is broken, and what does not compare ------------------------------------------------------------


def test_a_task_that_the_candidate_lacks_is_a_failure():
    both(right(0.6), right(0.8))
    answer("base", "base", "further", correct=right(0.5))
    found = ask()
    assert (found.exit_code, found.broken) == (2, ("further is missing from the results of cand",))
    assert ask(only=frozenset({"quiz"})).exit_code == 0


def test_a_task_that_only_the_candidate_has_is_noted():
    both(right(0.6), right(0.8))
    answer("cand", "cand", "further", correct=right(0.5))
    found = ask()
    assert (found.exit_code, found.notes) == (0, ("only cand has results on further",))


def test_an_error_of_either_model_is_a_failure():
    both(right(0.6), right(0.8))
    answer("base", "base", "further", correct=right(0.5))
    failed = evaluated("cand", "further", fingerprint=read_results(Path("cand"))[0].fingerprint, error="boom")
    ResultsFolder(Path("cand")).write_error(failed, None)
    found = ask()
    assert (found.exit_code, found.broken) == (2, ("further is an ERROR of cand: boom",))


@pytest.mark.parametrize("kind", ["missing", "an error", "not comparable", "missing from the baseline"])
def test_every_condition_that_a_line_is_absent_of_is_broken(kind):
    both(right(0.6), right(0.8))
    folders = ["cand"] if kind == "missing from the baseline" else ["base"]
    folders += ["cand"] if kind == "not comparable" else []
    for folder in folders:
        answer(folder, folder, "further", correct=right(0.5), split=f"of {folder}")
    if kind == "an error":
        fingerprint = read_results(Path("cand"))[0].fingerprint
        failed = evaluated("cand", "further", fingerprint=fingerprint, error="boom")
        ResultsFolder(Path("cand")).write_error(failed, None)
    conditions = (
        Condition(rule="margin", threshold=0.3),
        Condition(rule="margin", threshold=0.3, over="mean"),
        Condition(rule="min", threshold=0.1, over="worst", tag="quiz"),
        Condition(rule="min", threshold=0.1, task="quiz"),
    )
    found = ask(gate=Gate(conditions=conditions), only=frozenset({"quiz", "further"}))
    told = found.broken[0] if found.broken else "further is not comparable: split differs"
    broken = [one for one in found.gate if one.outcome == "broken"]
    assert [(one.task, one.over, one.rule, one.sentence) for one in broken] == [
        ("further", None, "margin", told),
        (None, "mean", "margin", told),
        (None, "worst", "min", told),
    ]
    assert [one.outcome for one in found.gate if one.task == "quiz"] == ["passes", "passes"]
    assert found.exit_code == (3 if kind == "not comparable" else 2)
    if found.exit_code == 2:
        assert found.sentence.endswith("Fails: 1 item is missing or broken.")
        assert to_junit([found]).count("<error") == 3, "the task has no test case beside its conditions"


def test_predictions_that_are_gone_or_cut_off_are_a_failure():
    both(right(0.6), right(0.8))
    (path,) = Path("cand").glob("predictions/*/quiz.parquet")
    content = path.read_bytes()
    for damage in (content[: len(content) // 2], b"", b"PAR1"):
        path.write_bytes(damage)
        found = ask()
        assert found.exit_code == 2
        assert "cannot be read" in found.broken[0]
    path.unlink()
    assert ask().broken == (f"the predictions of cand on quiz are missing: no file {path}",)


def test_predictions_of_another_run_are_a_failure():
    both(right(0.6), right(0.8))
    (theirs,) = Path("base").glob("predictions/*/quiz.parquet")
    (ours,) = Path("cand").glob("predictions/*/quiz.parquet")
    shutil.copy(theirs, ours)
    assert "are of another run than their record" in ask().broken[0]


def test_predictions_that_do_not_give_the_score_of_their_record_are_a_failure():
    both(right(0.6), right(0.8))
    (path,) = Path("cand").glob("records/*/quiz.json")
    score = read_results(Path("cand"))[0].answered["quiz", "files", None].evaluation.scores[0].score
    reseal(path, str(score), str(score + 0.01))
    found = ask()
    assert found.exit_code == 2
    assert f"their record says {score + 0.01:.6f}" in found.broken[0]


def test_a_row_that_one_model_lacks_is_a_failure_even_where_the_digests_agree():
    answer("base", "base", correct=right(0.6))
    answer("cand", "cand", correct=right(0.8)[:-1])
    found = ask()
    assert found.exit_code == 2
    assert "1 of 400 examples is not in the predictions of both models" in found.broken[0]


def test_rows_in_another_order_are_paired_by_their_ids():
    answers = right(0.7)
    answer("base", "base", correct=answers, ids=[f"e{row}" for row in range(400)])
    answer("cand", "cand", correct=answers[::-1], ids=[f"e{row}" for row in range(399, -1, -1)])
    (line,) = ask().lines
    assert (line.gain, line.p) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"digest": "e" * 64}, "digest"),
        ({"split": "dev"}, "split"),
        ({"version": 2}, "task_version"),
        ({"source": "6" * 64}, "task_source"),
        ({"limit": 400}, "limit"),
        ({"data": "sample"}, "data"),
    ],
)
def test_a_different_examination_is_refused_unless_it_is_allowed_by_name(change, key):
    answer("base", "base", correct=right(0.6))
    answer("cand", "cand", correct=right(0.8), **change)
    found = ask(gate=margin_gate(0.01))
    assert (found.exit_code, found.lines) == (3, ())
    assert [(one.task, [difference.key for difference in one.differences]) for one in found.refused] == [
        ("quiz", [key])
    ]
    allowed = ask(gate=margin_gate(0.01), allow=frozenset({key}))
    assert (allowed.exit_code, allowed.allowed) == (0, (key,))
    assert allowed.lines[0].verdict == "better"


def test_a_refusal_names_the_part_of_the_task_s_code_that_differs():
    code = {"helper": "11111111", "distribution topics": "1.0", "quiz": "22222222"}
    answer("base", "base", correct=right(0.6), code=code)
    changed = {**code, "helper": "33333333", "distribution topics": "1.1"}
    answer("cand", "cand", correct=right(0.8), source="6" * 64, code=changed)
    ((difference,),) = (one.differences for one in ask().refused)
    assert difference.baseline == "55555555"
    assert (
        difference.candidate == "66666666 (code of the task: helper changed; distribution topics 1.0 → 1.1)"
    )


def test_scores_of_other_scoring_code_are_compared_with_a_note():
    code = {"harness.metrics.standard": "11111111", "harness.metrics.search": "22222222", "quiz": "33333333"}
    answer("base", "base", correct=right(0.6), code=code)
    answer("cand", "cand", correct=right(0.8), code={**code, "harness.metrics.standard": "44444444"})
    found = ask()
    assert len(found.lines) == 1
    assert found.notes == (
        "scoring code of harness: metrics.standard changed between the two runs: run the older one again",
    )


def test_where_the_data_may_differ_only_common_examples_count():
    gold = np.arange(400) % 5
    answer("base", "base", correct=right(0.6), gold=gold)
    changed = gold.copy()
    changed[:3] = 9
    answer("cand", "cand", correct=right(0.8), gold=changed, digest="e" * 64)
    found = ask(allow=frozenset({"digest"}))
    assert found.lines[0].examples == 397
    assert found.notes == ("quiz: 3 examples are left out: not the same for all models",)


def test_predictions_that_are_words_do_not_make_examples_differ():
    gold = ["yes", "no"] * 100
    metrics = (CORRECT, MACRO_F1)
    answer("base", "base", metrics=metrics, correct=[1.0] * 200, gold=gold, predicted=gold)
    wrong = ["no", "no"] * 100
    changes = {"gold": gold, "predicted": wrong, "digest": "e" * 64}
    answer("cand", "cand", metrics=metrics, correct=[0.0, 1.0] * 100, **changes)
    (line,) = ask(allow=frozenset({"digest"})).lines
    assert (line.examples, line.gain) == (200, -0.5)


def test_settings_may_differ_and_are_listed():
    answer("base", "base", correct=right(0.6))
    record = answer("cand", "cand", correct=right(0.8))
    changed = replace(record, candidate=replace(record.candidate, settings=Settings(dtype="bfloat16")))
    (path,) = Path("cand").glob("records/*/quiz.json")
    path.write_bytes(sealed(changed))
    found = ask()
    assert [(one.key, one.baseline, one.candidate) for one in found.settings] == [
        ("dtype", "float32", "bfloat16")
    ]
    assert found.exit_code == 0


# --- leaderboards without predictions ---------------------------------------------------------------------


def test_csvs_in_their_folders_are_compared_like_the_folders():
    both(right(0.6), right(0.8))
    by_csv = ask("base/leaderboard.csv", "cand/leaderboard.csv")
    assert by_csv.lines == ask().lines


def test_bare_csvs_show_scores_and_a_gate_says_what_is_missing():
    both(right(0.6), right(0.8))
    for name in ("base", "cand"):
        Path("bare").mkdir(exist_ok=True)
        shutil.copy(f"{name}/leaderboard.csv", f"bare/{name}.csv")
    found = ask("bare/base.csv", "bare/cand.csv")
    (line,) = found.lines
    assert (found.exit_code, line.verdict, line.low) == (0, "not tested", None)
    assert line.gain == pytest.approx(line.candidate - line.baseline)
    gated = ask("bare/base.csv", "bare/cand.csv", gate=margin_gate(0.01))
    assert gated.exit_code == 2
    assert "predictions of base on quiz are not at hand" in gated.gate[0].sentence


# --- metrics ----------------------------------------------------------------------------------------------


def test_only_headlines_are_compared_unless_more_metrics_are_named():
    further = mean_metric("margin")
    for name in ("base", "cand"):
        answer(name, name, correct=right(0.7), margin=right(0.5), metrics=(CORRECT, further))
    assert [line.metric for line in ask().lines] == ["accuracy"]
    assert [line.metric for line in ask(metrics=frozenset({"margin"})).lines] == ["accuracy", "margin"]
    gate = Gate(conditions=(Condition(rule="margin", threshold=0.1, metric="margin"),))
    assert [line.metric for line in ask(gate=gate).lines] == ["accuracy", "margin"]
    assert ask(gate=gate).gate[0].metric == "margin"


def test_a_metric_that_no_plugin_brings_is_broken_and_named():
    strange = Metric("strange", lambda gold, predicted: float(np.corrcoef(gold, predicted)[0, 1]))
    for name, noise in (("base", 1.0), ("cand", 2.0)):
        answer(name, name, "sts", metrics=(strange,), **pairs(noise))
    found = ask()
    assert (found.exit_code, found.broken) == (2, ("no plugin brings the metric strange of sts",))

    class Strange:
        version, metrics, tags = 1, (strange,), frozenset()

    known = ask(tasks={"sts": Strange()})
    assert (known.exit_code, known.lines[0].verdict) == (1, "worse")


def test_a_third_party_metric_that_raises_is_a_failure_that_names_it():
    def angry(gold, predicted):
        raise ZeroDivisionError("no")

    strange = Metric("strange", lambda gold, predicted: float(np.corrcoef(gold, predicted)[0, 1]))
    for name, noise in (("base", 1.0), ("cand", 2.0)):
        answer(name, name, "sts", metrics=(strange,), **pairs(noise))

    class Strange:
        version, metrics, tags = 1, (replace(strange, compute=angry),), frozenset()

    found = ask(tasks={"sts": Strange()})
    assert (found.exit_code, found.broken) == (2, ("the metric strange raised ZeroDivisionError: no",))


def test_a_column_of_lists_cannot_select_rows():
    metric = mean_metric("accuracy", "correct", where="asked")
    for name in ("base", "cand"):
        answer(name, name, metrics=(metric,), correct=right(0.6), asked=[True] * len(right(0.6)))
        (path,) = Path(name).glob("records/*/*.json")
        answer(name, name, correct=right(0.6), asked=[["a", "b"]] * len(right(0.6)))
        reseal(path, '"where": null', '"where": "asked"')
    found = ask()
    assert found.exit_code == 2
    assert found.broken == ("the column asked does not say which rows accuracy takes",)


# --- domain -----------------------------------------------------------------------------------------------


def test_gains_in_the_domain_are_compared_with_losses_outside_it():
    both(right(0.6), right(0.8), "law", tags=("legal",))
    both(right(0.8), right(0.6), "chat", tags=("talk",))
    found = ask(domain=frozenset({"legal"})).forgetting
    assert found.inside.gain == pytest.approx(-found.outside.gain)
    assert found.inside.low > 0 > found.outside.high
    assert found.sentence.endswith("it learned and forgot")


def test_gains_whose_squares_overflow_have_a_mean():
    large = 1e100 * np.asarray(right(0.8))
    both(right(0.6), large, "law", tags=("legal",))
    both(right(0.6), 0.5 * large, "statute", tags=("legal",))
    found = ask(domain=frozenset({"legal"})).forgetting
    assert found.inside.gain == pytest.approx(0.75 * large.mean())
    assert 0 < found.inside.low < found.inside.gain < found.inside.high < 1e101


def test_several_comparisons_are_corrected_together():
    answer("base", "base", correct=right(0.7))
    pairs_ = []
    for number in range(3):
        answer(f"c{number}", f"c{number}", correct=right(0.7, seed=number + 5))
        pairs_.append((read_results(Path("base"))[0], read_results(Path(f"c{number}"))))
    found = compare(pairs_, options())
    alone = [compare([one], options())[0] for one in pairs_]
    assert [one.lines[0].p for one in found] == [one.lines[0].p for one in alone]
    both = zip(found, alone, strict=True)
    assert all(one.lines[0].p_adjusted >= other.lines[0].p_adjusted for one, other in both)
    least = min(one.lines[0].p for one in alone)
    assert least < min(one.lines[0].p_adjusted for one in found) <= min(1, 3 * least * (1 + 1e-9))


def test_a_number_of_one_is_not_followed_by_a_plural():
    for seed, model in enumerate(("base", "cand")):
        answer(model, model, correct=right(0.7, 8, seed=seed), cluster=["only"] * 8)
    assert "1 independent unit is too few" in str(ask().lines[0])


def test_seeds_with_the_very_same_predictions_are_named():
    answer("base", "base", correct=right(0.6))
    for number in range(3):
        answer("seeds", f"seed{number}", correct=right(0.7, seed=number or 1))
    base, seeds = read_results(Path("base"))[0], read_results(Path("seeds"))
    (found,) = compare([(base, seeds)], CompareOptions(tasks={}))
    assert [note.split(",")[0] for note in found.notes] == ["seed0 and seed1 have the very same answers"]
    (found,) = compare([(base, seeds[1:])], CompareOptions(tasks={}))
    assert found.notes == ()
