"""The process of one variant: it loads everything once, and then runs on request.

Requests are JSON, one per line of what was standard input; answers likewise on what was standard output. What
libraries print goes to standard error. The process ends when its input does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

import msgspec

from benchmarks.rounds import Ready, Round, Variant
from harness.bench.worker import protected_streams
from harness.system import waiting

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from benchmarks.tools import Tool

Answer = TypeVar("Answer", Ready, Round)
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Start:
    """The first request: what to load."""

    variant: Variant
    built: str
    """Folder of the built suite."""
    model: str
    """Folder of the model."""


class Child:
    """A variant's process, seen from the parent; a context manager that ends it."""

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            cwd=ROOT,
            env=environment_of(variant),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._said.close()

    def start(self, built: Path, model: Path) -> Ready:
        """Load the model and the suite; raises RuntimeError where that fails."""
        return self._ask(msgspec.json.encode(Start(self.variant, str(built), str(model))), Ready)

    def run(self, what: str) -> Round:
        """Do one round of `suite` or `encode`; raises RuntimeError where that fails."""
        return self._ask(msgspec.json.encode(what), Round)

    def _ask(self, request: bytes, expected: type[Answer]) -> Answer:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the process was started without pipes")
        try:
            stdin.write(request + b"\n")
            stdin.flush()
            line = stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            self._process.wait()
            self._said.seek(0)
            last = self._said.read()[-2000:].decode(errors="replace")
            raise RuntimeError(f"{self.variant.name} ended with {self._process.returncode}:\n{last}")
        return msgspec.json.decode(line, type=expected)


def environment_of(variant: Variant) -> dict[str, str]:
    """Return this process's environment with the variant's wait policy, and without network."""
    environment = {name: value for name, value in os.environ.items() if name not in waiting.SETTINGS}
    environment |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
    return environment | (waiting.SETTINGS if variant.passive else {})


def main() -> None:
    """Serve until standard input ends; a failure ends the process, and the parent shows its last output."""
    requests, answers = protected_streams()
    start = msgspec.json.decode(requests.readline(), type=Start)
    tool, texts = _open(start)
    _answer(answers, tool.ready)
    for line in requests:
        _answer(answers, _round(tool, texts if msgspec.json.decode(line) == "encode" else None))


def _open(start: Start) -> tuple[Tool, list[str]]:
    from benchmarks.suite import TASK_FILE, load_built
    from benchmarks.tools import Evaluators, Harness, Mteb

    built, model = Path(start.built), Path(start.model)
    suite = load_built(built)
    if start.variant.tool == "harness":
        return Harness(start.variant, built / TASK_FILE.name), suite.distinct()
    kind = Evaluators if start.variant.tool == "st" else Mteb
    return kind(start.variant, model, suite), suite.distinct()


def _round(tool: Tool, texts: list[str] | None) -> Round:
    """Evaluate the suite, or encode its distinct texts, and time it."""
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    scores: dict[str, float] = {}
    parts: dict[str, float] = {}
    wall, cpu = time.perf_counter(), time.process_time()
    if texts is None:
        scores, parts = tool.run()
    else:
        tool.encode(texts)
    return Round(
        seconds=time.perf_counter() - wall,
        cpu_seconds=time.process_time() - cpu,
        load=load,
        scores=scores,
        parts=parts,
    )


def _answer(answers: TextIO, answer: Ready | Round) -> None:
    answers.write(msgspec.json.encode(answer).decode() + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
