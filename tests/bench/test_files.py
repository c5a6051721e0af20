from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.bench.files import read, write
from harness.bench.pytest_benchmark import pytest_benchmark
from harness.errors import HarnessError
from harness.results.folder import encode

from .conftest import Clock
from .test_session import Stage

COMPARE = [str(Path(sys.executable).with_name("pytest-benchmark"))]


@pytest.fixture
def bench():
    clock = Clock()
    stage = Stage(clock, a={"walls": [0.5, 0.51, 0.52]}, b={"walls": [0.25, 0.26]})
    return stage.play("a", "b", against_itself=True)


def compare(*words, folder):
    found = subprocess.run(
        [*COMPARE, *map(str, words)], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_a_record_is_read_as_it_was_written(bench, tmp_path):
    written = write(bench, tmp_path, "stamp")
    assert written.record == tmp_path / "records" / bench.machine.fingerprint[:8] / "stamp.json"
    assert read(written.record) == bench


@pytest.mark.parametrize("link", ["records", "records/MACHINE", "MACHINE"])
def test_a_bench_is_not_written_through_a_link(bench, tmp_path, link):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = tmp_path / "bench" / link.replace("MACHINE", bench.machine.fingerprint[:8])
    path.parent.mkdir(parents=True)
    path.symlink_to(elsewhere)
    with pytest.raises(HarnessError, match="is a link: results are not written through links"):
        write(bench, tmp_path / "bench", "stamp")
    assert list(elsewhere.iterdir()) == []


def test_an_invalid_record_is_refused(tmp_path):
    for content in ("{", "[]", '{"schema": 99}'):
        (tmp_path / "x.json").write_text(content)
        with pytest.raises(HarnessError, match=r"x\.json"):
            read(tmp_path / "x.json")


def test_names_do_not_contain_the_model(bench):
    found = pytest_benchmark(bench, bench.variants)["benchmarks"]
    assert {(one["name"], one["fullname"]) for one in found} == {
        ("encode[work]", "harness bench::encode[work]")
    }
    assert [one["params"]["model"] for one in found] == ["a", "a (2)", "b"]
    assert all(one["extra_info"]["digest"] for one in found)


def test_statistics_are_those_of_pytest_benchmark_over_every_round(bench):
    one = pytest_benchmark(bench, bench.variants[:1])["benchmarks"][0]
    rounds = [each.wall for each in bench.variants[0].workloads[0].rounds]
    assert one["stats"]["data"] == rounds
    assert one["stats"]["rounds"] == len(rounds)
    assert one["stats"]["ops"] == pytest.approx(len(rounds) / sum(rounds))


def test_pytest_benchmark_compares_what_was_written(bench, tmp_path):
    first, _, other = write(bench, tmp_path / "store", "stamp").pytest
    table = compare("compare", first, other, "--csv=table.csv", folder=tmp_path)
    assert table.count("encode[work]") == 2
    with (tmp_path / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["param:model"], row["param:dtype"]) for row in rows} == {("a", "float32"), ("b", "float32")}
    assert {round(float(row["min"]), 2) for row in rows} == {0.26, 0.52}
    between = compare("compare", first, other, "--between=min,ops", folder=tmp_path)
    assert "1 tests, 2 sources" in between
    assert "-50.0%" in between
    assert "+100.0%" in between


def test_pytest_benchmark_finds_runs_in_the_folder_by_number(bench, tmp_path):
    for stamp in ("monday", "tuesday"):
        write(bench, tmp_path / "store", stamp)
    storage = f"--storage=file://{tmp_path / 'store'}"
    assert compare(storage, "compare", folder=tmp_path).count("encode[work]") == 6
    assert compare(storage, "compare", "0004", folder=tmp_path).count("encode[work]") == 1


def test_one_file_may_hold_all_variants(bench, tmp_path):
    (tmp_path / "all.json").write_bytes(encode(pytest_benchmark(bench, bench.variants)))
    assert compare("compare", "all.json", folder=tmp_path).count("encode[work]") == 3
    assert json.loads((tmp_path / "all.json").read_bytes())["version"]
