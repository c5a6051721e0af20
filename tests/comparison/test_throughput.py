"""Ratios of speeds, and the Pareto front of quality and speed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from comparison.made import answer, right
from harness.bench.records import Bench, Machine, Ratio, SpeedEstimate, VariantResult
from harness.comparison.compare import CompareOptions, compare
from harness.comparison.gate import Gate
from harness.comparison.pareto import pareto_front
from harness.comparison.sources import read_results
from harness.comparison.tables import answer_tables
from harness.models.interface import Settings
from harness.models.storage import stored_fingerprint
from harness.results.folder import ResultsFolder, encode
from harness.results.records import Throughput
from harness.results.unreadable import Unreadable


def timed(model, share, rate, **changes):
    """Write a model that was evaluated and timed; returns its side."""
    record = answer(model, model, correct=right(share))
    speed = Throughput(
        model=model, fingerprint=record.candidate.fingerprint, workload="w" * 64, texts=100, tokens=None,
        seconds=(1.0,), cpu_seconds=(1.0,), texts_per_second=rate, texts_per_second_low=0.9 * rate,
        texts_per_second_high=1.1 * rate, tokens_per_second=None, device="cpu", dtype="float32",
        backend="packed", threads=2, processor="EPYC", cores=2, load=None,
    )  # fmt: skip
    ResultsFolder(Path(model)).write_throughput(replace(speed, **changes))
    (side,) = read_results(Path(model))
    return side


def ask(base, cand, ratio=0.5, allow=()):
    gate = Gate(conditions=(), throughput=ratio)
    (found,) = compare([(base, [cand])], CompareOptions(tasks={}, gate=gate, allow=frozenset(allow)))
    return found


def test_the_ratio_of_two_runs_is_bounded_by_their_slowest_and_fastest_rounds():
    found = ask(timed("base", 0.7, 100), timed("cand", 0.7, 80))
    assert found.speed.ratio == pytest.approx(0.8)
    assert (found.speed.low, found.speed.high) == pytest.approx((72 / 110, 88 / 90))
    assert (found.exit_code, found.gate[0].outcome) == (0, "passes")
    assert ask(*(read_results(Path(name))[0] for name in ("base", "cand")), ratio=1.0).exit_code == 1
    assert ask(*(read_results(Path(name))[0] for name in ("base", "cand")), ratio=0.9).exit_code == 4


@pytest.mark.parametrize("change", [{"processor": "Xeon"}, {"cores": 64}, {"workload": "v" * 64}])
def test_speeds_of_another_machine_or_of_other_texts_are_refused(change):
    base, cand = timed("base", 0.7, 100), timed("cand", 0.7, 80, **change)
    found = ask(base, cand)
    assert (found.exit_code, found.speed, found.refused[0].task) == (3, None, "throughput")
    allowed = ask(base, cand, allow=["machine"])
    assert (allowed.exit_code, allowed.allowed) == (0, ("machine",))


@pytest.mark.parametrize("end", ["texts_per_second", "texts_per_second_low", "texts_per_second_high"])
@pytest.mark.parametrize("rate", [b"0", b"-1.0", b"1e999"])
def test_an_impossible_speed_makes_the_record_unreadable(end, rate):
    timed("base", 0.7, 100)
    (path,) = Path("base").glob("throughput/*.json")
    path.write_bytes(re.sub(rf'"{end}": [0-9.]+'.encode(), f'"{end}": '.encode() + rate, path.read_bytes()))
    unreadable = Unreadable()
    (base,) = read_results(Path("base"), None, unreadable)
    assert base.throughput is None
    (sentence,) = unreadable.placed
    assert "throughput/base~" in sentence
    assert ".json is not a readable record" in sentence


def test_a_speed_that_was_never_measured_fails_a_gate_that_asks_for_it():
    base = timed("base", 0.7, 100)
    answer("cand", "cand", correct=right(0.7))
    (cand,) = read_results(Path("cand"))
    found = ask(base, cand)
    assert found.exit_code == 2
    assert "cand was not timed; run it" in found.gate[0].sentence
    answer("bare", "bare", correct=right(0.7))
    (bare,) = read_results(Path("bare"))
    assert "bare and cand were not timed; run them" in ask(bare, cand).gate[0].sentence


def stored(model, seconds, **settings):
    """Write a model of the default encoding, stored otherwise; returns its side."""
    side = timed(model, 0.7, 100, seconds=seconds)
    record = replace(side.candidate, settings=Settings(**settings))
    answered = {
        slot: replace(result, evaluation=replace(result.evaluation, candidate=record))
        for slot, result in side.answered.items()
    }
    return replace(side, answered=answered)


def test_dimensions_of_one_encoding_that_was_timed_once_have_one_speed_without_an_interval():
    base, cand = stored("base", (1.0, 1.2)), stored("cand", (1.0, 1.2), truncate_dim=32, precision="int8")
    found = ask(base, cand, ratio=1.0)
    assert (found.speed.ratio, found.speed.low, found.speed.high) == (1.0, None, None)
    assert (found.gate[0].outcome, found.exit_code) == ("passes", 0)
    assert found.gate[0].sentence.startswith("throughput ratio 1.00 (one encoding, timed once for both) lies")
    assert ask(base, cand, ratio=1.01).gate[0].outcome == "fails"
    remarks = answer_tables(found)[0].remarks
    assert "speed: 100 → 100 texts/s, equal (one encoding, timed once for both)" in remarks


def test_dimensions_that_two_runs_timed_are_known_by_their_fingerprint():
    settings = Settings(truncate_dim=32)
    base, cand = stored("base", (1.0, 1.2)), stored("cand", (1.3, 1.2), truncate_dim=32)
    (slot,) = cand.answered
    derived = stored_fingerprint(base.fingerprint, settings)
    record = replace(cand.candidate, fingerprint=derived)
    result = cand.answered[slot]
    result = replace(result, evaluation=replace(result.evaluation, candidate=record))
    cand = replace(cand, fingerprint=derived, answered={slot: result})
    for found in (ask(base, cand), ask(cand, base)):
        assert (found.speed.ratio, found.speed.low) == (1.0, None)
        assert found.speed.source == "one encoding: what two runs timed differs by chance"


@pytest.mark.parametrize(
    ("seconds", "settings"), [((1.0, 1.3), {"truncate_dim": 32}), ((1.0, 1.2), {"max_seq_length": 8})]
)
def test_models_that_were_timed_each_or_encode_otherwise_have_an_interval(seconds, settings):
    found = ask(stored("base", (1.0, 1.2)), stored("cand", seconds, **settings))
    assert found.speed.low < found.speed.ratio < found.speed.high


def test_an_incomplete_or_unreadable_bench_is_skipped():
    sides = timed("base", 0.7, 100), timed("cand", 0.7, 80)
    variants = tuple(
        VariantResult(label=one.name, model=one.name, fingerprint=one.fingerprint, settings=Settings())
        for one in sides
    )
    ratio = Ratio(
        workload="not measured", label="cand", against="base",
        ratio=SpeedEstimate(2.0, 1.9, 2.1), cpu_ratio=None,
        rounds=3, comparison="faster",
    )  # fmt: skip
    bench = Bench(
        started="2026", machine=Machine(fingerprint="m" * 64, processor="P", cores=2, system="L"),
        libraries={}, margin=0.02, budget=60.0, seconds=1.0, variants=variants, ratios=(ratio,),
    )  # fmt: skip
    folder = Path("base/bench/records/m")
    folder.mkdir(parents=True)
    (folder / "a.json").write_bytes(encode(bench))
    (folder / "b.json").write_text("[" * 200 + "]" * 200)
    assert ask(*sides).speed.source == "rounds of two runs, not side by side"


def test_the_front_holds_the_models_that_are_not_dominated():
    sides = [
        timed("good", 0.9, 50),
        timed("fast", 0.6, 200),
        timed("beaten", 0.5, 100),
        timed("both", 0.7, 60),
    ]
    found = {one.model: one.on_front for one in pareto_front(sides)}
    assert found == {"good": True, "both": True, "fast": True, "beaten": False}
    assert [one.model for one in pareto_front(sides)] == ["good", "both", "fast", "beaten"]


def test_a_speed_of_another_machine_is_not_on_the_front():
    sides = [timed("good", 0.9, 50), timed("fast", 0.6, 200), timed("away", 0.8, 999, processor="Xeon")]
    (away,) = [one for one in pareto_front(sides) if one.model == "away"]
    assert (away.texts_per_second, away.on_front) == (None, False)


def test_there_is_no_front_without_a_common_task():
    answer("one", "one", "a", correct=right(0.7))
    answer("two", "two", "b", correct=right(0.7))
    assert pareto_front([*read_results(Path("one")), *read_results(Path("two"))]) == []
