"""The trainer, tried by the kit for plugins, which trains a small model a few times."""

from pathlib import Path

import pytest
from my_plugin import harness_trainers, refuse_others

from harness import HarnessError
from harness.testing import check_trainer
from harness.training import read_recipe

RECIPE = """
trainer = "my-plugin"
data = { kind = "pairs", path = "pairs.csv" }
loss = { name = "MultipleNegativesRankingLoss" }
"""


def test_the_trainer_keeps_the_rules_of_trainers() -> None:
    check_trainer(harness_trainers()[0])


def test_what_it_does_not_do_is_refused(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE)
    refuse_others(read_recipe(recipe))
    recipe.write_text(f"{RECIPE}train = {{ warmup = 0.1 }}\n")
    with pytest.raises(HarnessError, match=r"does not do train\.warmup"):
        refuse_others(read_recipe(recipe))
