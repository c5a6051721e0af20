"""Parent's side of a worker process: send requests, and end it reliably."""

from __future__ import annotations

import contextlib
import tempfile
from typing import TYPE_CHECKING, TypeVar

import msgspec

from harness.bench.protocol import Failed, Response
from harness.errors import HarnessError
from harness.system import processes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.bench.protocol import Request

Expected = TypeVar("Expected")
_MODULE = "harness.bench.worker"
_LINES_SHOWN = 3


class Worker:
    """A process that measures one variant. command: replaces the worker's own, in tests."""

    def __init__(self, label: str, command: Sequence[str] = ()) -> None:
        self._label = label
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = processes.Process(command or processes.python_module(_MODULE), self._stderr)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def ask(self, request: Request, expected: type[Expected]) -> Expected:
        """Send a request and wait for the response.

        Raises HarnessError if the model failed, the process ended, or the response is invalid.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the process was started without pipes")
        try:
            stdin.write(msgspec.json.encode(request) + b"\n")
            stdin.flush()
            line = stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise self._ended()
        try:
            response = msgspec.json.decode(line, type=Response)
        except msgspec.DecodeError as error:
            shown = line[:80].decode(errors="backslashreplace")
            raise HarnessError(
                f"the process of {self._label} sent an invalid response: {error}",
                exists=f"it wrote: {shown!r}",
                hint="does the model write to file descriptors that are not its own?",
            ) from error
        if isinstance(response, Failed):
            raise HarnessError(response.message)
        if not isinstance(response, expected):
            raise HarnessError(f"the process of {self._label} sent an unexpected response: {response}")
        return response

    def end(self) -> None:
        """Kill the process and all that it started."""
        self._process.end()
        for stream in (self._process.stdin, self._process.stdout, self._stderr):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()

    def _ended(self) -> HarnessError:
        """Return an error with the exit reason and the last lines of standard error."""
        how, hint = self._process.exit_reason()
        self._stderr.seek(0)
        lines = self._stderr.read()[-4000:].decode(errors="replace").splitlines()
        return HarnessError(
            f"the process of {self._label} ended ({how})",
            exists="\n".join(line for line in lines[-_LINES_SHOWN:] if line.strip()) or None,
            hint=hint,
        )
