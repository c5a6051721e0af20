from __future__ import annotations

import pytest

from harness.bench.protocol import Pass, Times
from harness.bench.session import BenchPlan, failed_variants, measure, second_label
from harness.bench.workloads import Workload

from .conftest import CheckedProgress, Standin, variant

WORK = Workload("work", tuple(f"text {number}" for number in range(200)))


class Stage:
    """Runs benches with stand-ins, and keeps them."""

    def __init__(self, clock, **acts):
        self.clock, self.acts, self.log, self.cast = clock, acts, [], {}

    def start(self, label):
        self.cast[label] = Standin(label, self.clock, self.log, **self.acts.get(label[0], {}))
        return self.cast[label]

    def play(self, *labels, **plan):
        given = {"variants": [variant(label) for label in labels], "workloads": [WORK], **plan}
        return measure(
            BenchPlan(**given), CheckedProgress(), started="now", start=self.start, clock=self.clock
        )


def test_a_known_ratio_is_found(clock):
    bench = Stage(clock, a={"walls": [0.5]}, b={"walls": [0.25]}).play("a", "b")
    (ratio,) = bench.ratios
    assert (ratio.label, ratio.against, ratio.comparison) == ("b", "a", "faster")
    assert ratio.ratio.value == pytest.approx(2)
    speeds = [one.workloads[0].texts_per_second.value for one in bench.variants]
    assert speeds == pytest.approx([400, 800])


def test_processor_time_is_compared_too_and_robust_to_other_processes(clock):
    class Disturbed(Standin):
        def _respond(self, request):
            response = super()._respond(request)
            if not isinstance(request, Pass):
                return response
            return Times(response.wall, [0.5 / int(self.label[0])], 0.5)

    walls = [0.5, 0.9, 0.4, 1.3, 0.6, 0.7, 2.0] * 99
    plan = BenchPlan(variants=[variant("1"), variant("2")], workloads=[WORK], budget=30.0)
    bench = measure(
        plan,
        CheckedProgress(),
        started="",
        start=lambda label: Disturbed(label, clock, [], walls),
        clock=clock,
    )
    (ratio,) = bench.ratios
    assert ratio.cpu_ratio.value == pytest.approx(2)
    assert ratio.cpu_ratio.half_width < 0.02


def test_figures_follow_from_the_rounds(clock):
    (one,) = Stage(clock, a={"walls": [0.5]}).play("a").variants
    (found,) = one.workloads
    assert found.tokens_per_second == pytest.approx(2000)
    assert found.padded_tokens_per_second == pytest.approx(3000)
    # 10⁹ operations in half a second, of 10 · 10⁹ per second.
    assert found.share_of_ceiling == pytest.approx(0.2)
    assert (found.latency.texts, found.latency.p50, found.latency.p99) == (120, 10.0, 10.0)
    assert [point.texts_per_call for point in found.batch_curve] == [1, 2, 4, 8, 16, 32, 64, 128]
    assert found.batch_curve[-1].texts_per_second == pytest.approx(12800)
    assert one.start.total == pytest.approx(4.3)
    assert (one.memory.loaded, one.memory.peak) == (100, 200)
    assert found.rounds[0].cpu == 1.0


def test_rounds_of_all_variants_are_interleaved_in_changing_order(clock):
    stage = Stage(clock, a={"walls": [0.5, 0.9, 0.4, 1.3, 0.6] * 30}, b={"walls": [0.5]})
    bench = stage.play("a", "b", budget=60.0)
    rounds = len(bench.variants[0].workloads[0].rounds)
    assert len(bench.variants[1].workloads[0].rounds) == rounds >= 12
    last = stage.log[-2 * rounds :]
    orders = {tuple(last[start : start + 2]) for start in range(0, 2 * rounds, 2)}
    assert orders == {("a", "b"), ("b", "a")}
    # In pairs, the second the reverse of the first: no variant comes first much more often than another.
    assert all(
        last[start : start + 4] == last[start : start + 4][::-1] for start in range(0, 2 * rounds - 3, 4)
    )


def test_a_noisy_bench_ends_with_its_budget_and_is_too_noisy_to_say(clock):
    bench = Stage(clock, a={"walls": [0.5, 0.9, 0.4, 1.3, 0.6] * 99}).play("a", budget=30.0)
    assert 20 <= clock.now <= 35
    assert bench.variants[0].workloads[0].verdict == "too noisy to say"


def test_a_precise_bench_ends_early(clock):
    bench = Stage(clock, a={"walls": [0.5]}).play("a", budget=1000.0)
    assert clock.now < 20
    assert bench.variants[0].workloads[0].verdict == "measured"


def test_the_first_variant_against_itself_is_the_noise_floor_and_not_a_comparison(clock):
    stage = Stage(clock, a={"walls": [0.5]}, b={"walls": [0.25]})
    bench = stage.play("a", "b", against_itself=True)
    assert [one.label for one in bench.variants] == ["a", second_label("a"), "b"]
    assert [(one.label, one.ratio.value) for one in bench.noise_floor] == [(second_label("a"), 1.0)]
    assert [one.label for one in bench.ratios] == ["b"]


def test_both_processes_of_the_noise_floor_use_threads_alike(clock):
    threads = {}

    class Telling(Standin):
        def ask(self, request, expected):
            if hasattr(request, "spec"):
                threads[self.label] = request.spec.threads
            return super().ask(request, expected)

    plan = BenchPlan(variants=[variant("a")], workloads=[WORK], against_itself=True)
    measure(plan, CheckedProgress(), started="", start=lambda label: Telling(label, clock, []), clock=clock)
    assert threads == {"a": "auto", second_label("a"): "2x1"}


@pytest.mark.parametrize("request_number", [1, 2, 4, 9, 20, 25])
def test_a_variant_that_fails_at_any_time_leaves_the_others_their_results(clock, request_number):
    bench = Stage(clock, b={"fails_at": request_number}).play("a", "b", "c")
    a, b, c = bench.variants
    assert [one.label for one in failed_variants(bench)] == ["b"]
    assert b.error == "b broke"
    assert a.workloads[0].verdict == c.workloads[0].verdict == "measured"
    assert [one.label for one in bench.ratios] == ["c"]


def test_when_the_first_fails_the_others_are_compared_with_the_next(clock):
    bench = Stage(clock, a={"fails_at": 5}).play("a", "b", "c")
    assert [(one.label, one.against) for one in bench.ratios] == [("c", "b")]


@pytest.mark.parametrize("problem", [KeyboardInterrupt, RuntimeError])
def test_all_processes_end_with_a_bench_even_if_it_raises(clock, problem):
    stage = Stage(clock)

    class Cutting(CheckedProgress):
        def step(self, what, done):
            if "round 3" in what:
                raise problem

    plan = BenchPlan(variants=[variant("a"), variant("b")], workloads=[WORK])
    with pytest.raises(problem):
        measure(plan, Cutting(), started="", start=stage.start, clock=clock)
    assert [one.ended for one in stage.cast.values()] == [True, True]


def test_a_pass_too_short_to_time_is_repeated(clock):
    bench = Stage(clock, a={"walls": [0.03]}).play("a")
    assert bench.variants[0].workloads[0].passes == 7
