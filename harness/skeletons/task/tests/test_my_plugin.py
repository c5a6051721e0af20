"""The task, tried by the kit for plugins, and scored."""

from my_plugin import MyPlugin

import harness
from harness.testing import check_task


def test_the_task_keeps_the_rules_of_tasks() -> None:
    check_task(MyPlugin())


def test_shared_letters_are_not_enough_for_all_examples() -> None:
    task = MyPlugin()
    result = harness.evaluate("lexical", task)["lexical", task.name]
    assert result.headline.metric == "accuracy"
    assert 0.5 < result.headline.score < 1
    assert result.headline.examples == len(result.predictions)
