"""Stand-ins for worker processes, and a clock that only they move."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.bench import rounds
from harness.bench.protocol import (
    Calibrate,
    Calls,
    Facts,
    Load,
    LoadedModel,
    MeasureCeiling,
    MeasuredCeiling,
    MeasureMemory,
    Pass,
    PeakMemory,
    Prepare,
    Prepared,
    Times,
)
from harness.bench.session import BenchProgress, Variant
from harness.errors import HarnessError
from harness.models.interface import ModelFacts, ModelSpec

ACTING = Path(__file__).with_name("acting.py")


class Clock:
    """Clock that advances only with the work of stand-ins."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Standin:
    """Stand-in for a worker that responds at once; rounds take the next of `walls`, the last repeatedly."""

    def __init__(self, label, clock, log, walls=(0.5,), fails_at=None):
        self.label, self.clock, self.log, self.fails_at = label, clock, log, fails_at
        self.walls = list(walls)
        self.ended = False
        self.requests = 0

    def ask(self, request, expected):
        self.requests += 1
        if self.requests == self.fails_at:
            raise HarnessError(f"{self.label} broke")
        response = self._respond(request)
        assert isinstance(response, expected)
        return response

    def _respond(self, request):
        if isinstance(request, Pass):
            wall = self.walls.pop(0) if len(self.walls) > 1 else self.walls[0]
            self.clock.now += wall
            self.log.append(self.label)
            return Times([wall], [2 * wall], 2 * wall)
        if isinstance(request, Calls):
            return Times([0.01] * min(request.most, 120), [0.01] * min(request.most, 120), 1.2)
        facts = ModelFacts(dimensions=2, similarity="cosine")
        return {
            Load: LoadedModel(0.2, 3.0, 1.0, 0.1, 100),
            Calibrate: Facts(self.label, "f" * 64, facts, "cpu", (), 2, 1, "calibrated"),
            Prepare: Prepared(1000, 1500, 1e9),
            MeasureCeiling: MeasuredCeiling(10.0),
            MeasureMemory: PeakMemory(200, None),
        }[type(request)]

    def end(self):
        self.ended = True


class CheckedProgress(BenchProgress):
    """Shows nothing; checks that the share done is in [0, 1]."""

    def step(self, what, done):
        assert 0 <= done <= 1


def variant(label, location="", **fields):
    return Variant(label, ModelSpec("acts", location, **fields))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def quick_rounds(monkeypatch):
    """Rounds of 20 ms suffice where a test sleeps for a known time."""
    monkeypatch.setattr(rounds, "SHORTEST", 0.02)
