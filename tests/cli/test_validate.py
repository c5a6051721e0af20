"""`harness validate`: what a file means in words, and all that is wrong in it."""

from __future__ import annotations

from pathlib import Path

import pytest

TASKS = """
[tasks.tickets]
kind = "sts"
path = "pairs.csv"
columns = { text1 = "question", score = "mark" }
tags = ["support"]
[suites.release]
tasks = ["tickets", "stsb"]
"""
GATE = """
margin = 0.01
throughput = 0.9
[[line]]
tag = "sts"
gain = 0.02
[[line]]
task = "stsb"
metric = "spearman"
margin = 0.005
min = 0.8
[[line]]
over = "worst"
margin = 0
"""
RECIPE = """
data = { kind = "pairs", path = "pairs.csv", columns = { text1 = "question" } }
loss = { name = "MultipleNegativesRankingLoss" }
train = { batch_size = 2, epochs = 3, warmup = 0.1 }
evaluation = { tasks = ["stsb-dev"], keep = "best" }
trainer = "copies"
"""
TRAINER = """
from harness import hookimpl
from harness.training import Trainer

@hookimpl
def harness_trainers():
    return [Trainer("copies", "copies the base", print)]
"""


@pytest.fixture(autouse=True)
def given():
    Path("pairs.csv").write_text("question,text2,mark\na cat,a dog,3\nrain,rains,5\nice,tea,1\n")
    Path("tasks.toml").write_text(TASKS)
    Path("gate.toml").write_text(GATE)
    Path("recipe.toml").write_text(RECIPE)
    Path("copies.py").write_text(TRAINER)


@pytest.fixture
def explained(harness, document):
    """Return the parts, notes and faults of a file, from the JSON."""

    def explaining(file, *words):
        answer = harness("validate", file, "--plugin", "copies.py", "--json", *words)
        (found,) = document("validate", answer)["files"]
        assert answer.code == (2 if found["faults"] else 0)
        parts = {part["name"]: "\n".join(part["sentences"]) for part in found["parts"]}
        return found["kind"], parts, "\n".join(found["notes"]), found["faults"]

    return explaining


def test_a_task_is_its_kind_its_columns_and_its_rows(explained):
    kind, parts, notes, faults = explained("tasks.toml")
    assert (kind, notes, faults) == ("task file", "", [])
    assert "kind sts, of pairs.csv" in parts["tickets"]
    assert "text1 is 'question', score is 'mark'" in parts["tickets"]
    assert "scored by spearman, the headline, and by pearson" in parts["tickets"]
    assert "selected by --tasks tickets or sts or support" in parts["tickets"]
    assert "3 rows in 3 clusters, digest " in parts["tickets"]
    assert "tasks tickets, stsb" in parts["suite release"]


def test_rows_that_are_not_there_are_a_note_and_with_data_a_fault(explained):
    Path("pairs.csv").unlink()
    _, parts, notes, faults = explained("tasks.toml")
    assert (faults, "rows in" in parts["tickets"]) == ([], False)
    assert notes == "tickets: rows and columns were not looked at: pairs.csv is not there"
    Path("data").mkdir()
    _, _, notes, (fault,) = explained("tasks.toml", "--data", "data")
    assert (notes, fault.startswith("task tickets: no file ")) == ("", True)


def test_a_gate_is_a_sentence_for_each_condition_as_compare_reads_it(explained):
    kind, parts, notes, faults = explained("gate.toml")
    assert (kind, notes, faults) == ("gate", "", [])
    assert "has to gain more than 0.02\npasses where the whole 95 % interval" in parts["tasks tagged sts"]
    assert "score has to be 0.8 or more" in parts["stsb by spearman"]
    assert "may lose up to 0.01\n" in parts["every task"]
    assert "not where a narrower line says so itself: stsb by spearman" in parts["every task"]
    assert "may lose nothing\n" in parts["worst of all tasks"]
    assert "of the smallest gain lies above 0, fails where it lies below" in parts["worst of all tasks"]
    assert "at least 0.9 times as many texts a second" in parts["throughput"]
    assert "exit code 4" in parts["all together"]


def test_names_that_no_task_has_are_notes_of_a_gate_since_results_may_have_them(explained):
    Path("gate.toml").write_text(
        '[[line]]\ntask = "stbs"\nmargin = 0\n[[line]]\ntask = "elsewhere"\nmetric = "f1"\nmin = 0\n'
    )
    _, _, notes, faults = explained("gate.toml")
    assert faults == []
    assert "no task 'stbs' is known here: the results must have it; did you mean stsb" in notes
    assert "no task 'elsewhere' is known here: the results must have it" in notes


def test_a_recipe_is_its_loss_rows_base_and_number_of_steps(explained):
    kind, parts, _, faults = explained("recipe.toml")
    assert (kind, faults) == ("recipe", [])
    assert parts["loss"] == "MultipleNegativesRankingLoss with scale 20.0, similarity cosine"
    assert "text1 is the file's column 'question'" in parts["rows"]
    assert "3 rows of pairs.csv" in parts["rows"]
    assert parts["base"] == "minilm, trained by copies"
    assert "3 epochs of batches of 2: 6 steps" in parts["length"]
    assert "linear after a warmup of 10 % of the steps" in parts["length"]
    assert "best on stsb-dev are kept: its score is no result" in parts["evaluation"]


def test_a_recipe_without_its_rows_says_so_and_wants_them_where_data_is_given(explained):
    Path("pairs.csv").rename("other.csv")
    _, parts, notes, faults = explained("recipe.toml")
    assert (faults, "the rows say how many steps" in parts["length"]) == ([], True)
    assert "rows and columns were not looked at: the recipe needs pairs.csv" in notes
    assert "3 rows of other.csv" in explained("recipe.toml", "--data", "other.csv")[1]["rows"]
    Path("data").mkdir()
    assert "no pairs.csv in data" in explained("recipe.toml", "--data", "data")[3][0]


def test_a_configuration_is_what_its_keys_set(explained):
    Path("harness.toml").write_text(
        'models = ["lexical"]\ntasks = ["release"]\ntask-files = "tasks.toml"\nno-texts = true\n'
    )
    kind, parts, _, faults = explained("harness.toml")
    assert (kind, faults) == ("configuration", [])
    assert parts["models"].startswith("lexical: evaluated by `run`")
    assert parts["task-files"] == "always read: tasks.toml"
    assert "--texts" in parts["no-texts"]
    Path("pyproject.toml").write_text('[tool.harness]\nout = "there"\n')
    assert explained("pyproject.toml")[1] == {"out": "`run` writes to there without --out"}


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        (
            "tasks.toml",
            (
                '[tasks.a]\nkind = "stss"\npath = "x"\n[tasks.b]\nkind = "sts"\nheader = 3\n'
                '[suites.s]\ntasks = ["stbs"]\n[odd]\n'
            ),
            ["named 'stss'", "path is missing", "header must be", "'stbs'", "'odd'"],
        ),
        (
            "gate.toml",
            'margin = -1\nodd = 1\n[[line]]\ntask = "a"\ntag = "b"\ngain = nan\n[[line]]\ntask = "c"\n',
            ["must be 0 or more", "'odd'", "a task and a tag", "finite number", "no. 2 has no condition"],
        ),
        (
            "recipe.toml",
            (
                'base = "minilmm"\ntrainer = "x"\ndata = { kind = "pairs" }\n'
                'loss = { name = "MultipleNegativesRankingLoss", margin = 3 }\n'
                'train = { batch_size = 0, epoch = 3 }\nevaluation = { tasks = ["stsb-dv"] }\n'
            ),
            ["'minilmm'", "'x'", "'stsb-dv'", "'epoch'", "'loss.margin'", "train.batch_size is 0"],
        ),
        (
            "harness.toml",
            (
                'models = ["lexcal"]\ntasks = "nothing"\ndata = "nowhere"\ntask-files = "none.toml"\n'
                'cache-size = "lots"\nplugin = "x"\n'
            ),
            ["'lexcal'", "'nothing'", "no data folder", "none.toml", "invalid size 'lots'", "'plugin'"],
        ),
    ],
    ids=["task file", "gate", "recipe", "configuration"],
)
def test_all_faults_of_a_file_are_listed_at_once(file, content, told, explained):
    Path(file).write_text(content)
    *_, faults = explained(file)
    assert len(faults) == len(told)
    assert [[part for part in told if part in fault][:1] for fault in faults].count([]) == 0
    assert all(any(part in fault for fault in faults) for part in told)


def test_a_file_is_told_by_its_tables_and_one_that_is_none_of_ours_is_an_error(harness):
    Path("odd.toml").write_text("[odd]\n")
    answer = harness("validate", "odd.toml", "gate.toml", "missing.toml")
    assert answer.code == 2
    assert "odd.toml is not a file of harness: it has odd\n    task file: [tasks.NAME]" in answer.out
    assert "gate.toml: a gate\n" in answer.out
    assert "no file missing.toml" in answer.out


def test_nothing_is_read_or_fetched_of_a_dataset_of_the_hub(explained):
    Path("tasks.toml").write_text('[tasks.quora]\nkind = "sts"\npath = "hub:ORG/NAME"\n')
    _, parts, notes, faults = explained("tasks.toml")
    assert ("kind sts, of hub:ORG/NAME" in parts["quora"], faults) == (True, [])
    assert "rows of the hub were not looked at; --data hub fetches them" in notes


def test_sound_tasks_are_explained_beside_one_that_is_not(explained):
    Path("tasks.toml").write_text(f'{TASKS}[tasks.odd]\nkind = "none"\npath = "x"\n')
    _, parts, _, (fault,) = explained("tasks.toml")
    assert "3 rows in 3 clusters" in parts["tickets"]
    assert "tasks.toml: [tasks.odd]: no kind of task named 'none'" in fault


def test_rows_are_looked_at_although_the_loss_is_wrong(explained):
    Path("recipe.toml").write_text(
        'data = { kind = "pairs", path = "pairs.csv", columns = { text1 = "answer" } }\n'
        'loss = { name = "MultipleNegativesRanking" }\ntrain = { batch_size = 0 }\ntrainer = "copies"\n'
    )
    _, _, _, faults = explained("recipe.toml")
    assert [any(word in fault for fault in faults) for word in ("'answer'", "RankingLoss", "batch_size")] == (
        [True, True, True]
    )
    assert len(faults) == 3


def test_a_metric_that_a_known_task_does_not_have_is_a_fault_of_a_gate(explained):
    Path("gate.toml").write_text(
        '[[line]]\ntask = "stsb"\nmetric = "spearmn"\nmin = 0.5\n[[line]]\nmetric = "f1"\nmargin = 0\n'
    )
    _, _, notes, (fault,) = explained("gate.toml")
    assert fault.startswith("no metric of stsb named 'spearmn'\n  did you mean: spearman")
    assert "no metric 'f1' is known here: the results must have it" in notes


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            'task = "stsb"\nmin = 80',
            "min 80 (stsb): spearman of stsb lies between -1 and 1, so no score could",
        ),
        ('tag = "sts"\ngain = 2', "gain 2 (tasks tagged sts): spearman of stsb"),
        (
            'task = "stsb"\nmetric = "pearson"\nmargin = 2',
            "pearson of stsb lies between -1 and 1",
        ),
        ("over = 'mean'\nmin = 80", "so no score could meet it"),
    ],
)
def test_a_threshold_that_compare_would_refuse_is_a_fault_of_a_gate(line, told, explained):
    Path("gate.toml").write_text(f"[[line]]\n{line}\n")
    _, _, _, (fault,) = explained("gate.toml")
    assert told in fault
    assert "scale of the scores" in fault


SHARE = """
from harness import Task, mean_metric

class Share(Task):
    name, kind, metrics = "share", "share", (mean_metric("accuracy", "correct", bounds=(0, 1)),)
    load = predict = None

@hookimpl
def harness_tasks():
    return [Share()]
"""


def test_a_threshold_that_only_some_tasks_refuse_is_a_note(explained):
    Path("copies.py").write_text(TRAINER + SHARE)
    Path("gate.toml").write_text("throughput = 90\n[[line]]\nmin = -0.5\n")
    _, _, notes, faults = explained("gate.toml")
    assert faults == []
    assert (
        "accuracy of share lies between 0 and 1, so no score could miss it; `harness compare` refuses"
        in notes
    )
    assert "throughput = 90 asks for 90 times the baseline's speed; 90 % of it is throughput = 0.9" in notes


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        (
            "recipe.toml",
            (
                'data = { kind = "pairs", path = "pairs.csv" }\ntrainer = "copies"\n'
                'loss = { name = "MultipleNegativesRankingLoss" }\n'
                'train = { batch_size = 0, epochs = "many", warmup = 7.5 }\n'
                'evaluation = { tasks = 3, keep = "best" }\n'
            ),
            ["batch_size is 0", "epochs must be a number", "tasks must be a list", "no column 'text1'"],
        ),
        (
            "gate.toml",
            (
                'undecided = "maybe"\nmargin = -1\n[[line]]\ntag = "sts"\ngain = "x"\n'
                '[[line]]\ntask = "stsb"\nmin = 80\n'
            ),
            ["'maybe'", "must be 0 or more", "gain must be a number", "no score could meet it"],
        ),
        (
            "tasks.toml",
            f'{TASKS}metrics = {{ stsb = ["spear"] }}\n[tasks.odd]\nkind = "stss"\npath = 3\n',
            ["[suites.release]) named 'spear'", "named 'stss'", "path must be a text"],
        ),
    ],
)
def test_a_value_of_a_wrong_type_hides_no_other_fault(file, content, told, explained):
    Path(file).write_text(content)
    *_, faults = explained(file)
    assert [part for part in told if not any(part in fault for fault in faults)] == []
    assert len(faults) == len(told)


def test_faults_of_a_gate_and_of_what_it_names_are_listed_together(explained):
    Path("gate.toml").write_text('margin = -1\n[[line]]\ntask = "stsb"\nmetric = "f1"\nmin = 80\n')
    assert len(explained("gate.toml")[3]) == 2


def test_who_encodes_is_explained_and_an_executor_that_does_not_exist_is_a_fault(explained):
    Path("harness.toml").write_text('executor = "processes"\nworkers = 1\n')
    _, parts, _, faults = explained("harness.toml")
    assert parts["executor"] == "`run` has texts encoded by processes without --executor"
    assert parts["workers"] == "it has 1 worker without --workers"
    assert faults == []
    Path("harness.toml").write_text('executor = "proceses"\nworkers = 1\n')
    *_, faults = explained("harness.toml")
    assert "no executor named 'proceses'" in str(faults)
