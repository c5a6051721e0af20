"""Try a plugin in a test: does it keep the rules that tasks, models, trainers and checks are held to?

Each `check_` function raises one AssertionError with a sentence for each rule that is broken; each
`_failures` function returns these sentences. They work in any test runner, need no network, and write to
temporary folders only.
"""

from harness.system.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "testing.checks": "check_check check_failures",
        "testing.models": "check_model model_failures",
        "testing.network": "no_network",
        "testing.small_model": "SmallModel build_small_model",
        "testing.tasks": "check_task task_failures",
        "testing.trainers": "check_trainer trainer_failures",
    },
)
