"""Ray in tests: one token, temporary folders of their own, and what a run by it leaves."""

from __future__ import annotations

import os
import time

from harness.execution.dispatcher import Dispatcher
from harness.execution.unit_runner import versions
from harness.execution.units import EncodeUnit
from harness.models.interface import ModelSpec
from harness.models.locate import locate_model
from harness.plugins.loader import load_plugins

TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "5" * 64, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


def units_of(folder, count, texts=20):
    """Return units of a model folder, each of other texts."""
    located = locate_model(ModelSpec("folder", str(folder)), load_plugins().model_schemes())
    return [
        EncodeUnit(
            spec=located.spec,
            name="m",
            fingerprint=located.fingerprint,
            texts=tuple(f"the ferry of pier {number} leaves at {hour}" for hour in range(texts)),
        )
        for number in range(count)
    ]


def embeddings_of(workers, units, during=lambda _dispatcher, _tickets: None):
    """Return the embeddings of units as bytes, what was counted, and notes; the workers are left open.

    during: called with the dispatcher and all tickets each time that something has happened.
    """
    notes: list[str] = []
    dispatcher = Dispatcher(workers, versions(), notes.append)
    try:
        seen, end = 0, time.monotonic() + 200
        while len(dispatcher.ready) < dispatcher.size:
            seen = dispatcher.wait(seen)
        tickets = [dispatcher.submit(unit) for unit in units]
        while not all(ticket.done for ticket in tickets):
            assert time.monotonic() < end, notes
            during(dispatcher, tickets)
            seen = dispatcher.wait(seen)
        return [ticket.take().embeddings.tobytes() for ticket in tickets], dispatcher.counts, notes
    finally:
        dispatcher.close()


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
