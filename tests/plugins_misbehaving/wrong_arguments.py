"""Declares an argument that the hook does not have; its other hook is correct."""

from harness import hookimpl
from harness.authoring import ModelScheme


@hookimpl
def harness_model_schemes():
    return [ModelScheme("half-loaded", "must not be used", lambda spec: None)]


@hookimpl
def harness_tasks(config):
    return []
