"""A plugin that is broken is reported in one clear sentence, and the rest work."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness import HarnessError
from harness.plugins.loader import load_plugins

MISBEHAVING = Path(__file__).parents[1] / "plugins_misbehaving"

GOOD = """
from dataclasses import dataclass
from harness import Dataset, Predictions, Task, hookimpl, mean_metric

class Answer(Task):
    kind, metrics = "answer", (mean_metric("accuracy", "correct"),)

    def __init__(self, name):
        self.name = name

    def load(self, source):
        return Dataset({"text": ["a", "b", "c", "d"]})

    def predict(self, model, dataset):
        return Predictions(dataset, correct=[1.0, 1.0, 1.0, 0.0])

@hookimpl
def harness_tasks():
    return [Answer("NAME")]
"""


@pytest.fixture(autouse=True)
def ours_alone(monkeypatch):
    """Load only our plugin `sts`, independent of what is installed."""
    monkeypatch.setenv("HARNESS_PLUGINS", "sts")


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a distribution as pip leaves it: a module, and a folder of metadata with an entry point."""

    def installing(distribution, name, code, *, module=None):
        module = module or f"{distribution.replace('-', '_')}_{tmp_path.name}"
        folder = tmp_path / distribution
        metadata = folder / f"{distribution}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[harness]\n{name} = {module}\n")
        if code is not None:
            (folder / f"{module}.py").write_text(code)
        monkeypatch.syspath_prepend(folder)
        monkeypatch.setenv("HARNESS_PLUGINS", f"{os.environ['HARNESS_PLUGINS']},{name}")

    return installing


def misbehaving(name):
    return load_plugins([MISBEHAVING / f"{name}.py"])


def problems_of(plugins):
    """Call every hook, as `harness list` does, and return the problems."""
    plugins.tasks(), plugins.task_kinds(), plugins.task_schemes(), plugins.model_schemes()
    return plugins.problems


# --- what is right ----------------------------------------------------------------------------------------


def test_our_own_plugins_are_found_and_nothing_is_wrong_with_them():
    plugins = load_plugins()
    assert problems_of(plugins) == []
    assert [info.name for info in plugins.infos] == ["builtin", "sts"]
    assert set(plugins.tasks()) == {"stsb", "stsb-dev"}
    assert set(plugins.task_kinds()) == {"sts"}
    assert set(plugins.model_schemes()) == {"folder", "hub", "minilm", "lexical"}
    assert plugins.origin("harness_tasks", "stsb") == "sts"


def test_an_installed_plugin_is_found_by_its_entry_point(install):
    install("nice-tasks", "nice", GOOD)
    plugins = load_plugins()
    assert problems_of(plugins) == []
    assert "NAME" in plugins.tasks()
    (info,) = [info for info in plugins.infos if info.name == "nice"]
    assert (info.origin, info.hooks, info.problem) == ("nice-tasks 1.0", ("harness_tasks",), None)


def test_a_single_file_with_a_dataclass_is_a_plugin():
    plugins = misbehaving("task_raises")
    assert problems_of(plugins) == []
    assert "shaky-not" in plugins.tasks()
    assert plugins.origin("harness_tasks", "shaky-not") == "task_raises"


def test_every_hook_is_called_once(tmp_path, capsys):
    path = tmp_path / "counting.py"
    path.write_text(GOOD.replace("return [", "print('called'); return ["))
    plugins = load_plugins([path])
    assert plugins.tasks() == plugins.tasks()
    assert capsys.readouterr().out == "called\n"


# --- what is broken ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("misspelled_hook", "unknown hook 'harness_taks'"),
        ("raises_at_import", "RuntimeError: the database is down \x1b[31mand the rest of the message"),
        ("exits_at_import", "SystemExit: 0"),
        ("no_hooks", "harness_tasks is not marked as a hook: write @hookimpl above it"),
        ("wrong_arguments", "harness_tasks declares config: hooks are asked without arguments"),
        ("hook_raises", "harness_tasks raised KeyError: 'no such shelf'"),
        ("hook_exits", "harness_tasks raised SystemExit: 0"),
        ("answers_nothing", "harness_tasks returned nothing (None): a list of Task is wanted"),
    ],
)
def test_a_broken_plugin_is_one_clear_sentence_and_the_rest_work(name, problem):
    plugins = misbehaving(name)
    (message,) = problems_of(plugins)
    assert re.match(rf"plugin {name} \(\S*/{name}\.py, line \d+\): ", message)
    assert problem in message
    assert "\n" not in message
    assert set(plugins.tasks()) == {"stsb", "stsb-dev"}
    assert "half-loaded" not in plugins.model_schemes()


def test_a_plugin_whose_one_answer_raises_still_gives_the_others():
    plugins = misbehaving("hook_raises")
    assert plugins.origin("harness_model_schemes", "fine") == "hook_raises"


def test_answers_that_are_not_tasks_are_reported_and_the_others_used():
    plugins = misbehaving("strange_answers")
    assert set(plugins.tasks()) == {"fine", "stsb", "stsb-dev"}
    lines, answers = zip(*(problem.split("): ", 1) for problem in problems_of(plugins)), strict=True)
    assert [line.rpartition(" ")[2] for line in lines] == ["26", "26", "26", "18"]  # the hook; the class
    assert [answer.removeprefix("harness_tasks answers ") for answer in answers] == [
        "'stsb', which is not a Task",
        "'None', which is not a Task",
        "the class Fine, not a Task: write Fine(…)",
        'a Nameless without name: its class needs `name = "…"`',
    ]


@pytest.mark.parametrize(
    ("attribute", "problem"),
    [
        ("tags = None", "whose tags is None, not a set of texts"),
        ("tags = 'sts'", "whose tags is 'sts', not a set of texts"),
        ("tags = {1}", "whose tags is {1}, not a set of texts"),
        ("kind = ''", "whose kind is '', not a text"),
        ("kind = 3", "whose kind is 3, not a text"),
        ("metrics = ()", "whose metrics is (), not one Metric or more"),
        ("metrics = None", "whose metrics is None, not one Metric or more"),
        ("metrics = ['accuracy']", "whose metrics is ['accuracy'], not one Metric or more"),
        ("metrics = mean_metric('a', 'correct')", "not one Metric or more"),
        (
            "tags = property(lambda self: 1 / 0)",
            "whose attributes cannot be read: ZeroDivisionError: division by zero",
        ),
    ],
)
def test_a_task_with_an_invalid_attribute_is_a_problem_and_the_rest_work(attribute, problem, tmp_path):
    path = tmp_path / "odd.py"
    odd = f"class Odd(Answer):\n    {attribute}\n\n@hookimpl"
    code = GOOD.replace("@hookimpl", odd)
    path.write_text(code.replace('[Answer("NAME")]', '[Odd("odd"), Answer("fine")]'))
    plugins = load_plugins([path])
    (message,) = problems_of(plugins)
    assert re.match(rf"plugin odd \({path}, line \d+\): harness_tasks answers a Odd ", message)
    assert problem in message
    assert set(plugins.tasks()) == {"fine", "stsb", "stsb-dev"}


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "whose name is '', not a text"),
        (" odd", "whose name ' odd' begins or ends with white space"),
        ("a,b", "whose name 'a,b' holds a comma"),
    ],
)
def test_a_task_with_a_name_that_cannot_be_selected_is_a_problem(name, problem, tmp_path):
    path = tmp_path / "odd.py"
    path.write_text(GOOD.replace("NAME", name))
    plugins = load_plugins([path])
    (message,) = problems_of(plugins)
    assert problem in message
    assert set(plugins.tasks()) == {"stsb", "stsb-dev"}


def test_a_task_named_as_the_tag_of_others_is_a_problem_and_the_tag_still_selects_them(tmp_path):
    path = tmp_path / "shadow.py"
    path.write_text(GOOD.replace("NAME", "sts"))
    plugins = load_plugins([path])
    (message,) = problems_of(plugins)
    assert message.startswith(f"plugin shadow ({path}): task 'sts' has the name of a tag (of stsb, stsb-dev)")
    assert set(plugins.tasks()) == {"stsb", "stsb-dev"}


def test_a_scheme_without_a_name_is_a_problem():
    from harness.authoring import ModelScheme
    from harness.plugins.validate import answer_error

    assert answer_error(ModelScheme(None, "", None), ModelScheme) == (
        "a ModelScheme whose name is None, not a text"
    )


@pytest.mark.parametrize(
    ("attribute", "problem"),
    [
        ("metrics = (mean_metric('a', 'b'), mean_metric('a', 'c'))", "with more than one metric 'a'"),
        ("metrics = (Metric('a', 0.5),)", "metric 'a' computes with 0.5, not a function"),
        (
            "metrics = (Metric('a', sum, columns='gold'),)",
            "metric 'a' has columns 'gold', not a tuple of names",
        ),
        ("metrics = (Metric('', sum),)", "a Metric whose name is '', not a text"),
        ("version = '2'", "whose version is '2', not a whole number"),
        ("splits = ('test',)", "whose splits is ('test',), not Splits(evaluated='test')"),
        ("sample = 'sample'", "whose sample is 'sample', not a Path"),
        ("options = ['a']", "whose options is ['a'], not a dict of plain data"),
    ],
)
def test_a_task_with_a_field_of_another_kind_is_a_problem(attribute, problem, tmp_path):
    path = tmp_path / "odd.py"
    code = GOOD.replace("import Dataset", "import Metric, Dataset").replace(
        '[Answer("NAME")]', '[Odd("odd")]'
    )
    path.write_text(code.replace("@hookimpl", f"class Odd(Answer):\n    {attribute}\n\n@hookimpl"))
    (message,) = problems_of(load_plugins([path]))
    assert problem in message


@pytest.mark.parametrize(
    ("hook", "answer", "problem"),
    [
        ("model_schemes", "ModelScheme('m', 'm', None)", "'m' whose locate is None, not a function"),
        ("model_schemes", "ModelScheme('m', 'm', print, {'truncate_dims'})", "did you mean truncate_dim?"),
        ("model_schemes", "ModelScheme('m', 'm', print, 'prompts')", "whose honors is 'prompts', not a set"),
        ("trainers", "Trainer('t', 't', 'train')", "'t' whose train is 'train', not a function"),
        ("trainers", "Trainer('t', 't', print, 'yes')", "'t' whose ready is 'yes', not a function"),
        ("checks", "Check('c', None, print)", "'c' whose help is None, not a text"),
        ("task_kinds", "TaskKind('k', 'k', {})", "'k' whose build is {}, not a function"),
        ("recipes", "Recipe(name='r', data=None, loss=None)", "[data] is missing"),
    ],
)
def test_an_answer_with_a_field_that_cannot_be_used_is_a_problem(hook, answer, problem, tmp_path):
    path = tmp_path / "odd.py"
    path.write_text(
        "from harness import hookimpl\nfrom harness.authoring import ModelScheme, TaskKind\n"
        "from harness.training import Check, Recipe, Trainer\n"
        f"@hookimpl\ndef harness_{hook}(): return [{answer}]\n"
    )
    plugins = load_plugins([path])
    assert "r" not in plugins.recipes()
    plugins.trainers(), plugins.checks()
    (message,) = problems_of(plugins)
    assert problem in message


def test_answers_of_a_generator_before_it_raised_are_used(install):
    install(
        "midway", "midway", GOOD.replace("return [Answer(", "yield Answer(").replace(")]", ")\n    1 / 0")
    )
    plugins = load_plugins()
    assert "NAME" in plugins.tasks()
    (message,) = problems_of(plugins)
    assert re.match(
        r"plugin midway \(midway 1\.0, \S+\.py, line 20\): harness_tasks raised ZeroDivision", message
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("return Answer('a')", "harness_tasks returned a Answer: a list of Task is wanted"),
        ("return 'stsb'", "harness_tasks returned a str: a list of Task is wanted"),
        ("while True: yield Answer('a')", "more than 100,000 answers: does it end?"),
    ],
)
def test_an_answer_that_is_no_list_is_one_problem(answer, problem, tmp_path):
    path = tmp_path / "odd.py"
    path.write_text(GOOD.replace('return [Answer("NAME")]', answer))
    assert problem in problems_of(load_plugins([path]))[0]


# --- files that the user named --------------------------------------------------------------------------


def test_all_faults_of_single_files_are_one_error(tmp_path):
    (tmp_path / "one.py").write_text("def (")
    (tmp_path / "two.py").write_text(GOOD.replace('[Answer("NAME")]', "[Answer, None]"))
    plugins = load_plugins([tmp_path / "one.py", tmp_path / "two.py"])
    with pytest.raises(HarnessError, match="3 things are wrong with plugins") as caught:
        plugins.refuse_broken_files()
    named = [line.strip().split(" ")[2] for line in str(caught.value).splitlines()[1:4]]
    assert named == [f"({tmp_path / name}.py," for name in ("one", "two", "two")]


def test_a_fault_of_an_installed_plugin_is_reported_and_refuses_nothing(install):
    install("broken", "broken", "import nowhere_at_all")
    install("halfway", "halfway", GOOD.replace('[Answer("NAME")]', "[None, Answer('NAME')]"))
    told = []
    plugins = load_plugins(report=told.append)
    assert len(told) == 1
    assert "No module named 'nowhere_at_all'" in told[0]
    assert "NAME" in plugins.tasks()
    plugins.refuse_broken_files()
    assert told == plugins.problems
    assert len(told) == 2


def test_a_file_that_takes_the_name_of_an_installed_task_is_refused(tmp_path):
    (tmp_path / "mine.py").write_text(GOOD.replace("NAME", "stsb"))
    with pytest.raises(HarnessError, match=r"'stsb' is provided by sts \(.*\) and mine \(|mine \(.* and sts"):
        load_plugins([tmp_path / "mine.py"]).refuse_broken_files()


def test_a_file_that_is_named_twice_is_loaded_once(tmp_path):
    (tmp_path / "mine.py").write_text(GOOD)
    (tmp_path / "same.py").symlink_to(tmp_path / "mine.py")
    plugins = load_plugins([tmp_path / "mine.py", tmp_path / "mine.py", tmp_path / "same.py"])
    plugins.refuse_broken_files()
    assert [info.name for info in plugins.infos][2:] == ["mine"]


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("import helper_with_fault", "helper_with_fault.py, line 2", "ZeroDivisionError"),
        ("x = 1\nraise ValueError('no')", "line 2", "ValueError: no"),
        ("import json\n\njson.loads('{')", "line 3", "JSONDecodeError"),
        ("x = (", "line 1", "SyntaxError: '(' was never closed"),
    ],
)
def test_the_place_of_an_error_at_import_is_in_the_plugin_s_own_code(
    text, place, problem, tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "helper_with_fault.py").write_text("x = 0\n1 / x\n")
    (tmp_path / "broken.py").write_text(text)
    (message,) = load_plugins([tmp_path / "broken.py"]).problems
    assert f"{place}): " in message
    assert problem in message


CRASHING = """
from harness import HarnessError, hookimpl
from harness.authoring import ModelScheme, TaskKind, TaskScheme

def act(argument):
    BODY

@hookimpl
def harness_model_schemes():
    return [ModelScheme("crash", "", act)]

@hookimpl
def harness_task_schemes():
    return [TaskScheme("crash", "", act)]

@hookimpl
def harness_task_kinds():
    return [TaskKind("crash", "", act)]
"""


@pytest.fixture
def acts(tmp_path):
    """Return the functions of a plugin's model scheme, task scheme and task kind."""

    def loading(body):
        path = tmp_path / "crashing.py"
        path.write_text(CRASHING.replace("BODY", body))
        plugins = load_plugins([path])
        assert problems_of(plugins) == []
        return {
            "model scheme": plugins.model_schemes()["crash"].locate,
            "task scheme": plugins.task_schemes()["crash"].resolve,
            "task kind": plugins.task_kinds()["crash"].build,
        }

    return loading


@pytest.mark.parametrize("what", ["model scheme", "task scheme", "task kind"])
@pytest.mark.parametrize(
    ("body", "problem", "cause"),
    [
        ("raise KeyError('no such shelf')", "raised KeyError: 'no such shelf'", KeyError),
        ("raise SystemExit(3)", "raised SystemExit: 3", SystemExit),
        ("return None", "answers .*None", type(None)),
    ],
)
def test_an_error_of_a_scheme_or_kind_names_the_plugin_and_keeps_its_cause(what, body, problem, cause, acts):
    place = r"\(\S*crashing\.py, line [56]\)"
    with pytest.raises(HarnessError, match=f"^plugin crashing {place}: {what} 'crash' {problem}") as caught:
        acts(body)[what](None)
    assert isinstance(caught.value.__cause__, cause)


def test_a_harness_error_of_a_scheme_is_not_changed(acts):
    with pytest.raises(HarnessError, match=r"^no such model in the shop\n  hint: ask for another$"):
        acts("raise HarnessError('no such model in the shop', hint='ask for another')")["model scheme"](None)


def test_a_file_that_is_not_python_is_a_problem(tmp_path):
    for name, content in (("syntax", b"def ("), ("bytes", b"\xff\xfe"), ("null", b"x = '\0'")):
        path = tmp_path / f"{name}.py"
        path.write_bytes(content)
        (message,) = problems_of(load_plugins([path]))
        assert re.match(rf"plugin {name} \({path}(, line 1)?\): SyntaxError: ", message)


@pytest.mark.parametrize("backport", [False, True])
def test_a_distribution_whose_module_is_gone_is_a_problem(install, backport):
    if backport:  # once it is imported, entry points of distributions load through it
        pytest.importorskip("importlib_metadata")
    install("hollow", "hollow", None, module="no_such_module_at_all")
    (message,) = problems_of(load_plugins())
    error = "ModuleNotFoundError: No module named 'no_such_module_at_all'"
    assert message == f"plugin hollow (hollow 1.0): {error}"


# --- names ------------------------------------------------------------------------------------------------


def test_two_distributions_with_a_plugin_of_one_name_are_named_and_neither_is_loaded(install):
    install("first-tasks", "same", GOOD.replace("NAME", "one"))
    install("second-tasks", "same", GOOD.replace("NAME", "two"))
    plugins = load_plugins()
    (message,) = problems_of(plugins)
    assert "plugin same (" in message
    assert "first-tasks 1.0" in message
    assert "second-tasks 1.0" in message
    assert "2 distributions provide a plugin of this name: none of them is loaded" in message
    assert set(plugins.tasks()) == {"stsb", "stsb-dev"}


def test_a_distribution_that_is_seen_twice_on_the_path_counts_once(install, tmp_path, monkeypatch):
    install("nice-tasks", "nice", GOOD)
    monkeypatch.setattr(sys, "path", [*sys.path, f"{tmp_path / 'nice-tasks'}/."])
    plugins = load_plugins()
    assert problems_of(plugins) == []
    assert "NAME" in plugins.tasks()


@pytest.mark.parametrize("stem", ["sts", "builtin"])
def test_a_file_of_the_name_of_an_installed_plugin_is_a_problem(stem, tmp_path):
    path = tmp_path / f"{stem}.py"
    path.write_text(GOOD)
    plugins = load_plugins([path])
    assert problems_of(plugins) == [
        f"plugin {stem} ({path}): a plugin of this name is loaded already: rename it"
    ]
    assert "stsb" in plugins.tasks()


def test_one_module_under_two_names_is_a_problem(install):
    install("nice-tasks", "nice", GOOD, module="nice_module")
    install("nicer-tasks", "nicer", None, module="nice_module")
    (message,) = problems_of(load_plugins())
    assert message == "plugin nicer (nicer-tasks 1.0): the same module is loaded already, as nice"


def test_a_task_that_two_plugins_provide_is_not_used_and_both_are_named(tmp_path):
    for name, task in (("one", "stsb"), ("two", "stsb"), ("three", "other")):
        (tmp_path / f"{name}.py").write_text(GOOD.replace("NAME", task))
    plugins = load_plugins([tmp_path / f"{name}.py" for name in ("one", "two", "three")])
    (message,) = problems_of(plugins)
    assert message.startswith("'stsb' is provided by ")
    assert {"sts", "one", "two"} <= set(message.replace(":", " ").split())
    assert message.endswith("none of them is used (harness_tasks); rename one")
    assert set(plugins.tasks()) == {"stsb-dev", "other"}


def test_a_plugin_that_provides_a_task_twice_is_a_problem(tmp_path):
    path = tmp_path / "twice.py"
    path.write_text(GOOD.replace('[Answer("NAME")]', '[Answer("NAME"), Answer("NAME")]'))
    plugins = load_plugins([path])
    (message,) = problems_of(plugins)
    assert message.startswith(
        f"'NAME' is provided by twice ({path}) and twice ({path}): none of them is used"
    )


# --- which are loaded -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "loaded"), [("sts", ["sts"]), (" nice , ", ["nice"]), ("nice,sts", ["nice", "sts"]), ("", [])]
)
def test_the_environment_lists_the_installed_plugins_that_may_load(listed, loaded, install, monkeypatch):
    install("nice-tasks", "nice", GOOD)
    install("unwanted-tasks", "unwanted", "raise AssertionError('must not be imported')")
    monkeypatch.setenv("HARNESS_PLUGINS", listed)
    plugins = load_plugins()
    assert problems_of(plugins) == []
    assert [info.name for info in plugins.infos] == ["builtin", *loaded]


def test_without_a_list_every_installed_plugin_loads(install, monkeypatch):
    install("nice-tasks", "nice", GOOD)
    monkeypatch.delenv("HARNESS_PLUGINS")
    assert {"builtin", "sts", "nice"} <= {info.name for info in load_plugins().infos}


def test_a_caller_may_list_them_too():
    assert [info.name for info in load_plugins(allowed=[]).infos] == ["builtin"]


def test_a_listed_name_that_is_not_installed_is_an_error_with_the_nearest(monkeypatch):
    monkeypatch.setenv("HARNESS_PLUGINS", "sst")
    with pytest.raises(
        HarnessError, match=r"no installed plugin named 'sst'\n.*did you mean: sts(.|\n)*known: "
    ):
        load_plugins()


def test_a_file_that_is_absent_is_an_error(tmp_path):
    for path in (tmp_path / "absent.py", tmp_path):
        with pytest.raises(HarnessError, match=f"no plugin file {path}"):
            load_plugins([path])


# --- a third-party distribution ----------------------------------------------------------------------------

# torch requires setuptools, so it can build wheels, offline, wherever the harness is installed.
THIRD_PARTY_PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "weather-tasks"
version = "0.3"

[project.entry-points.harness]
weather = "weather_tasks"
"""

THIRD_PARTY_CODE = '''
"""Are descriptions of the same weather nearer to each other than to another weather?"""

from harness import Dataset, Predictions, Role, Task, hookimpl, mean_metric

ROWS = [
    ("heavy rain in the valley", "heavy rainfall in valleys", "a clear, dry day"),
    ("snow on the pass", "snowfall on the passes", "warm wind from the south"),
    ("fog over the lake", "foggy lakes", "a thunderstorm at night"),
    ("a clear sky", "thunder and lightning", "a clear skyline"),
]


class Weather(Task):
    """Triplets of its own."""

    name, kind, tags = "weather", "weather", frozenset({"outdoors"})
    metrics = (mean_metric("accuracy", "correct"),)

    def load(self, source):
        columns = zip(*ROWS, strict=True)
        return Dataset(dict(zip(("text", "same", "other"), map(list, columns), strict=True)))

    def texts(self, dataset):
        return [(text, Role.TEXT) for column in ("text", "same", "other") for text in dataset[column]]

    def predict(self, model, dataset):
        text, same, other = (model.encode(dataset[name]) for name in ("text", "same", "other"))
        near, far = model.pairwise_similarity(text, same), model.pairwise_similarity(text, other)
        return Predictions(dataset, correct=(near > far).astype(float), near=near, far=far)


@hookimpl
def harness_tasks():
    return [Weather()]
'''


def test_a_third_party_distribution_installs_next_to_ours_and_its_task_runs_by_name(tmp_path):
    project, target, out = tmp_path / "weather-tasks", tmp_path / "installed", tmp_path / "results"
    project.mkdir()
    (project / "pyproject.toml").write_text(THIRD_PARTY_PROJECT)
    (project / "weather_tasks.py").write_text(THIRD_PARTY_CODE)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(target)]
    subprocess.run([*pip, *offline, str(project)], check=True, capture_output=True, timeout=120)
    assert (target / "weather_tasks-0.3.dist-info").is_dir()

    arguments = ["run", "--model", "lexical", "--tasks", "weather", "--no-throughput", "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(target), "HARNESS_PLUGINS": "sts,weather"}
    process = subprocess.run(
        [sys.executable, "-m", "harness", *arguments],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    (row,) = csv.DictReader((out / "leaderboard.csv").read_text().splitlines())
    # Of the four, the last is the one that shared letters get wrong.
    assert (row["model"], row["task"], row["metric"], row["score"]) == (
        "lexical",
        "weather",
        "accuracy",
        "0.75",
    )
    assert (row["examples"], row["status"]) == ("4", "ok")


def test_an_answer_is_named_without_its_address():
    from harness import Task
    from harness.plugins.validate import answer_error

    assert answer_error(object(), Task) == "'<object object>', which is not a Task"
