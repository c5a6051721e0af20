"""A worker process, seen from the parent: ask it something, and end it for certain."""

from __future__ import annotations

import contextlib
import tempfile
from typing import TYPE_CHECKING, TypeVar

import msgspec

from harness.bench.protocol import Answer, Failed
from harness.errors import HarnessError
from harness.system import processes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.bench.protocol import Order

Expected = TypeVar("Expected")
_MODULE = "harness.bench.worker"
_LINES_SHOWN = 3


class Worker:
    """One process that measures one variant.

    command: instead of ours.
    """

    def __init__(self, label: str, command: Sequence[str] = ()) -> None:
        self._label = label
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = processes.Process(command or processes.python_module(_MODULE), self._said)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def ask(self, order: Order, expected: type[Expected]) -> Expected:
        """Give an order and wait for its answer.

        Raises HarnessError where the model failed, the process ended, or what came is no answer.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the process was started without pipes")
        try:
            stdin.write(msgspec.json.encode(order) + b"\n")
            stdin.flush()
            line = stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise self._ended()
        try:
            answer = msgspec.json.decode(line, type=Answer)
        except msgspec.DecodeError as error:
            shown = line[:80].decode(errors="backslashreplace")
            raise HarnessError(
                f"the process of {self._label} gave no answer: {error}",
                exists=f"it wrote: {shown!r}",
                hint="does the model write to file descriptors that are not its own?",
            ) from error
        if isinstance(answer, Failed):
            raise HarnessError(answer.message)
        if not isinstance(answer, expected):
            raise HarnessError(f"the process of {self._label} answered something else: {answer}")
        return answer

    def end(self) -> None:
        """End the process and all that it started, now."""
        self._process.end()
        for stream in (self._process.stdin, self._process.stdout, self._said):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()

    def _ended(self) -> HarnessError:
        """Say how the process ended, and what it said last."""
        how, hint = self._process.exit_reason()
        self._said.seek(0)
        lines = self._said.read()[-4000:].decode(errors="replace").splitlines()
        return HarnessError(
            f"the process of {self._label} ended ({how})",
            exists="\n".join(line for line in lines[-_LINES_SHOWN:] if line.strip()) or None,
            hint=hint,
        )
