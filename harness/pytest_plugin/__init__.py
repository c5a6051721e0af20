"""The pytest plugin: fixtures of a model, marker `harness`, and timing of `encode`. Light: pytest alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.api.results import Results
    from harness.models.interface import Model
    from harness.pytest_plugin.conditions import MarkedTests

Made = TypeVar("Made")

_MARKER = (
    "harness(tasks, margin=None, baseline=None, minimum=None, model=None, data=None, limit=None,"
    " undecided='fail'): hold the model under test against a baseline (docs/integrations.md)"
)
_SETTINGS = {
    "model": "Model under test, as `harness run --model` takes it.",
    "baseline": "Model or results folder that marked tests with a margin compare with.",
    "data": "Folder with the real data of tasks; the shipped samples without it.",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--harness-model` and others, and keys of the same meaning in the ini-file."""
    group = parser.getgroup("harness", "harness: embedding models")
    for name, text in _SETTINGS.items():
        group.addoption(f"--harness-{name}", metavar="NAME", default=None, help=text)
        parser.addini(f"harness_{name}", text, default="")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture(scope="session")
def embedding_model(request: pytest.FixtureRequest) -> Model:
    """The model of `--harness-model` or `harness_model`, loaded once for a session."""
    from harness.api.models import load_model

    return _or_fail(lambda: load_model(_needed(request.config, "model")))


@pytest.fixture(scope="session")
def _harness_session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> MarkedTests:
    from harness.pytest_plugin.conditions import MarkedTests

    return MarkedTests(
        folder=tmp_path_factory.mktemp("harness"),
        settings={name: _setting(request.config, name) for name in _SETTINGS},
    )


@pytest.fixture
def harness_results(request: pytest.FixtureRequest, _harness_session: MarkedTests) -> Results:
    """The results of the model under test, on the tasks of the test's marker `harness`."""
    marker = request.node.get_closest_marker("harness")
    if marker is None:
        pytest.fail('harness_results needs the marker: @pytest.mark.harness(tasks="stsb")', pytrace=False)
    return _or_fail(lambda: _harness_session.results(*marker.args, **marker.kwargs))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    """Hold the model of a marked test against its conditions; where they hold, run the test."""
    marker = pyfuncitem.get_closest_marker("harness")
    if marker is not None:
        session = pyfuncitem._request.getfixturevalue("_harness_session")  # noqa: SLF001 - no public name exists
        verdict = _or_fail(lambda: session.verdict(*marker.args, **marker.kwargs))
        if verdict.failures:
            pytest.fail("\n".join(verdict.failures), pytrace=False)
        if verdict.undecided:
            pytest.skip("\n".join(verdict.undecided))
    return (yield)


@pytest.fixture
def bench_encode(request: pytest.FixtureRequest) -> Callable[..., None]:
    """A function that times the model under test with pytest-benchmark: `bench_encode("sts", model=None)`.

    It takes the name of a workload of `harness bench`, and may take a model. What was timed, and where,
    is in `extra_info`. Skipped where pytest-benchmark is not loaded.
    """
    try:
        benchmark: Any = request.getfixturevalue("benchmark")
    except pytest.FixtureLookupError:
        pytest.skip("bench_encode needs pytest-benchmark, which is not loaded")

    def bench(workload: str = "sts", model: Model | None = None) -> None:
        from harness.bench.pytest_benchmark import encode_info
        from harness.bench.workloads import make_workload

        timed = model if model is not None else request.getfixturevalue("embedding_model")
        texts = _or_fail(lambda: make_workload(workload))
        timed.encode(texts.texts)  # threads are calibrated, and files are read, at the first call
        benchmark.extra_info.update(encode_info(timed, texts))
        benchmark(timed.encode, texts.texts)

    return bench


def _setting(config: pytest.Config, name: str) -> str:
    """Return a setting: the option's, else the ini-file's; empty for none."""
    return config.getoption(f"--harness-{name}") or config.getini(f"harness_{name}") or ""


def _needed(config: pytest.Config, name: str) -> str:
    from harness.errors import HarnessError

    if value := _setting(config, name):
        return value
    raise HarnessError(f"no {name} to test", hint=f"--harness-{name} NAME, or harness_{name} in the ini-file")


def _or_fail(function: Callable[[], Made]) -> Made:
    """Return what a function returns; a HarnessError fails the test, without a traceback."""
    from harness.errors import HarnessError

    try:
        return function()
    except HarnessError as error:
        said = str(error)
    # Not in the `except`, whose error pytest would show as well.
    pytest.fail(said, pytrace=False)
