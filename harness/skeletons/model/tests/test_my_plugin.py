"""The model, tried by the kit for plugins, and what it should know."""

import pytest
from my_plugin import MyPlugin

from harness import HarnessError
from harness.authoring import ModelSpec
from harness.testing import check_model


def test_the_model_keeps_the_rules_of_models() -> None:
    check_model(MyPlugin(ModelSpec("my-plugin", "")))


def test_texts_that_share_words_are_nearer_than_texts_that_share_none() -> None:
    model = MyPlugin(ModelSpec("my-plugin", ""))
    texts = model.encode(["The cat eats.", "Rain falls."])
    near, far = model.similarity(model.encode(["the cat sleeps"]), texts)[0]
    assert near > far


def test_a_location_after_the_name_is_refused() -> None:
    with pytest.raises(HarnessError, match="write my-plugin alone"):
        MyPlugin(ModelSpec("my-plugin", "elsewhere"))
