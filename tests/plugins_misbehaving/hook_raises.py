"""A hook that raises while it is iterated, and one that works."""

from harness import hookimpl
from harness.authoring import ModelScheme


@hookimpl
def harness_tasks():
    yield from ()
    raise KeyError("no such shelf")


@hookimpl
def harness_model_schemes():
    return [ModelScheme("fine", "can be used", lambda spec: None)]
