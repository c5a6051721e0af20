from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from harness.bench.records import SpeedEstimate, Surroundings
from harness.bench.report import bench_tables, caveats
from harness.cli.output import print_tables

from .conftest import Clock
from .test_session import Stage


@pytest.fixture
def bench():
    stage = Stage(Clock(), m={"walls": [0.5]}, c={"walls": [0.25]}, x={"fails_at": 1})
    return stage.play("minilm float32", "candidate bfloat16", "x", against_itself=True)


def shown(bench):
    target = Console(file=io.StringIO(), width=110, markup=False, highlight=False, emoji=False)
    print_tables(bench_tables(bench), target)
    return target.file.getvalue()


def with_workload(bench, **changes):
    first, *others = bench.variants
    (work,) = first.workloads
    return replace(bench, variants=(replace(first, workloads=(replace(work, **changes),)), *others))


def test_a_bench_fits_a_page_with_every_row_on_a_line(bench):
    text = shown(bench)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 110
    (row,) = [line for line in text.splitlines() if line.startswith(" candidate bfloat16") and "2.00" in line]
    assert row.split() == [
        "candidate", "bfloat16", "800", "[800,", "800]", "4,000", "1.50", "2.0", "10.0", "10.0", "10.0",
        "40%", "2.00", "[1.97,", "2.03]",
    ]  # fmt: skip
    assert "candidate bfloat16: faster than minilm float32 (12 rounds side by side)" in text
    assert "x: ERROR: x broke" in text


def test_the_noise_floor_is_reported(bench):
    assert "noise floor, work: minilm float32 against itself 1.000 [0.986, 1.014], contains 1" in caveats(
        bench
    )
    assert "noise floor: not measured (--against-itself)" in caveats(replace(bench, noise_floor=()))


def test_a_noise_floor_that_does_not_contain_one_is_reported(bench):
    (floor,) = bench.noise_floor
    off = replace(bench, noise_floor=(replace(floor, ratio=SpeedEstimate(1.2, 1.1, 1.3)),))
    assert any("does NOT contain 1" in one for one in caveats(off))


def test_noise_is_reported_with_its_cause(bench):
    around = Surroundings(load_before=1.0, load_after=9.0, others=0.7, steal=0.2)
    noisy = with_workload(
        bench,
        verdict="too noisy to say",
        texts_per_second=SpeedEstimate(400, 300, 500),
        surroundings=around,
    )
    text = shown(noisy)
    assert "too noisy to say: rounds of 500 to 500 ms, ±25%; other processes used 70% of all cores" in text
    assert "not settled after 6 rounds of warm-up" in shown(with_workload(bench, settled=False))
    told = caveats(replace(noisy, competitors=("stress (99% of a core)",)))
    assert any("to 70% of all cores" in one and "stress (99% of a core)" in one for one in told)
    assert any("hypervisor took up to 20%" in one for one in told)


def test_energy_is_shown_or_its_absence_reported(bench):
    assert "energy: not available on this platform" in caveats(bench)
    assert "J/text" not in shown(bench)
    measured = replace(with_workload(bench, joules_per_text=0.123), energy="processor package (RAPL, 1 zone)")
    assert "energy: processor package (RAPL, 1 zone)" in caveats(measured)
    assert "J/text" in shown(measured)
    assert "0.12" in shown(measured)


def test_a_ceiling_that_varies_is_reported(bench):
    first, *others = bench.variants
    moved = replace(first, ceiling=replace(first.ceiling, gflops=200.0, tries=(200.0, 90.0)))
    told = caveats(replace(bench, variants=(moved, *others)))
    assert any("varied from 90 to 200 GFLOP/s" in one for one in told)


def test_what_is_unknown_is_a_dash(bench):
    unknown = with_workload(
        bench, tokens_per_second=None, tokens=None, latency=None, share_of_ceiling=None, batch_curve=()
    )
    (row,) = [
        line for line in shown(unknown).splitlines() if line.startswith(" minilm float32  ") and "400" in line
    ]
    assert row.split().count("–") == 4
