"""Suites: what a table may say, and names that could mean two things."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import HarnessError
from harness.cli.config import read_config
from harness.metrics.standard import PEARSON, SPEARMAN
from harness.tasks.suites import Suite, SuiteTable, make_suite, suites_by_name
from harness.tasks.task_file import read_suites, read_task_file
from tasks.test_selection import TASKS, Named

DIGEST = "0123456789abcdef" * 4


def suite(name="release", tasks=("stsb",), **table) -> Suite:
    return make_suite(SuiteTable(tasks=tasks, **table), Path("harness.toml"), ("suites", name))


def rated(name, *tags):
    task = Named(name, *tags)
    task.metrics = (SPEARMAN, PEARSON)
    return task


@pytest.mark.parametrize(
    ("name", "keys", "header"),
    [
        pytest.param("harness.toml", "suites", "[suites.release]", id="harness.toml"),
        pytest.param(
            "pyproject.toml", "tool.harness.suites", "[tool.harness.suites.release]", id="pyproject.toml"
        ),
    ],
)
def test_a_suite_is_a_table_of_the_configuration(name, keys, header, tmp_path):
    (tmp_path / name).write_text(
        f'[{keys}.release]\ntasks = ["stsb", "contract-nli"]\nmetrics = {{ stsb = ["pearson"] }}\n'
        f'[{keys}.release.digests]\nstsb = "{DIGEST}"\n'
    )
    (found,) = read_config(tmp_path).read_suites()
    assert (found.name, found.tasks, found.header) == ("release", ("stsb", "contract-nli"), header)
    assert (found.metrics, found.digests) == ({"stsb": ("pearson",)}, {"stsb": DIGEST})


def test_a_suite_is_a_table_of_a_task_file_which_may_define_no_task(tmp_path):
    path = tmp_path / "suites.toml"
    path.write_text('[suites.release]\ntasks = ["stsb"]\n')
    assert [found.name for found in read_suites(path)] == ["release"]
    assert read_task_file(path, {}) == {}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        pytest.param({"name": "a,b"}, r"\[suites\.'a,b'\]: the name holds a comma", id="comma"),
        pytest.param({"tasks": ()}, r"\[suites\.release\] has no tasks", id="no tasks"),
        pytest.param(
            {"metrics": {"stbs": ("pearson",)}}, "'stbs'\n  did you mean: stsb", id="metric of none"
        ),
        pytest.param({"metrics": {"stsb": ()}}, "metrics of stsb are empty", id="no metric"),
        pytest.param(
            {"digests": {"other": DIGEST}}, "which digests names, named 'other'", id="digest of none"
        ),
        pytest.param({"digests": {"stsb": "b9491c51"}}, "stsb is not 64 hexadecimal digits", id="cut short"),
    ],
)
def test_a_table_that_is_not_right_is_named_with_its_file(table, message):
    with pytest.raises(HarnessError, match=message) as error:
        suite(**table)
    assert str(error.value).find("harness.toml: [suites.") >= 0


@pytest.mark.parametrize(
    ("suites", "message"),
    [
        pytest.param([suite("stsb")], "suite 'stsb' has the name of a task", id="a task"),
        pytest.param([suite("sts")], r"has the name of a tag \(of legal-pairs, stsb, stsb-dev\)", id="a tag"),
        pytest.param([suite("mteb:x")], "has the name of a task of mteb", id="a task of a prefix"),
        pytest.param([suite(), suite()], "suite 'release' of harness.toml exists already", id="twice"),
        pytest.param(
            [suite(tasks=("sts",))],
            "'sts', which is not a task but several\n  tasks of sts: legal-pairs, stsb, stsb-dev",
            id="a tag in place of a task",
        ),
        pytest.param(
            [suite(), suite("wider", ("release",))], "'release', which is not a task", id="a suite of suites"
        ),
    ],
)
def test_a_name_that_could_mean_two_things_is_an_error(suites, message):
    with pytest.raises(HarnessError, match=message):
        suites_by_name(suites, TASKS, {"mteb"})


def test_a_metric_that_its_task_does_not_have_is_an_error():
    tasks = {"stsb": rated("stsb")}
    assert suites_by_name([suite(metrics={"stsb": ("pearson", "spearman")})], tasks)
    with pytest.raises(HarnessError, match=r"no metric of stsb .* named 'pearsn'\n  did you mean: pearson"):
        suites_by_name([suite(metrics={"stsb": ("pearsn",)})], tasks)


def test_a_task_that_no_plugin_has_is_left_to_the_command():
    """`compare` needs no plugin: records name their tasks."""
    assert suites_by_name([suite(tasks=("elsewhere",), metrics={"elsewhere": ("m",)})], TASKS)


def test_a_digest_in_capitals_is_the_same_digest():
    assert suite(digests={"stsb": DIGEST.upper()}).digests == {"stsb": DIGEST}
