"""The task, tried by the kit for plugins, and scored."""

from my_plugin import MyPlugin

from harness import DataSource, evaluate, load_model
from harness.testing import check_task


def test_the_task_keeps_the_rules_of_tasks() -> None:
    check_task(MyPlugin())


def test_shared_letters_are_not_enough_for_all_examples() -> None:
    task = MyPlugin()
    evaluation, predictions = evaluate(load_model("lexical"), task, DataSource("sample", task.sample))
    accuracy = evaluation.scores[0]
    assert accuracy.metric == "accuracy"
    assert 0.5 < accuracy.score < 1
    assert accuracy.examples == len(predictions)
