"""The steps of the action: run, compare, summary, comment; the exit code is that of the comparison."""

from __future__ import annotations

import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.action.comment import PullRequestComments, comment_body, pull_request
from harness.action.inputs import TOKEN, ActionInputs, read_inputs
from harness.errors import HarnessError
from harness.system.redact import redact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LARGEST_SUMMARY = 1_000_000
"""Maximum bytes of a summary; GitHub refuses more than 1 MiB."""
_BROKEN = 2


def run_action(environment: Mapping[str, str]) -> int:
    """Run the action in the environment of a GitHub runner; return the exit code.

    That is the code of `harness compare`, or of `harness run` where it fails or nothing is compared. A
    comment that cannot be written is a warning: on a pull request from a fork, the token may only read.
    """
    try:
        inputs = read_inputs(environment)
        code = _evaluate(inputs, environment)
    except HarnessError as error:
        _annotate("error", str(error))
        _output(environment, {"exit-code": str(_BROKEN)})
        return _BROKEN
    report = inputs.report if inputs.compares and inputs.report.is_file() else None
    outputs = {"exit-code": str(code), "folder": inputs.out, "report": str(report or "")}
    try:
        text = report.read_text(encoding="utf-8") if report else _without_report(inputs, code)
        _append(environment, "GITHUB_STEP_SUMMARY", text.encode()[:_LARGEST_SUMMARY].decode(errors="ignore"))
        if inputs.comment and inputs.compares:
            outputs["comment-url"] = _comment(inputs, text, environment)
    except (HarnessError, OSError) as error:
        _annotate("warning", f"no comment: {error}")
    _output(environment, outputs)
    return code


def _evaluate(inputs: ActionInputs, environment: Mapping[str, str]) -> int:
    # What is left of an earlier run is no report of this one.
    inputs.report.unlink(missing_ok=True)
    # What a model's or plugin's code prints must not be taken for commands to the runner.
    pause = secrets.token_hex(16)
    print(f"::group::harness run\n::stop-commands::{pause}", flush=True)
    code = _call(inputs.run_words(), environment)
    print(f"::{pause}::\n::endgroup::", flush=True)
    if code == 0 and inputs.compares:
        return _call(inputs.compare_words(), environment)
    if code:
        _annotate("error", f"`harness run` ended with exit code {code}: see its output")
    return code


def _call(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command of harness without the token; return its exit code."""
    kept = {name: value for name, value in environment.items() if name != TOKEN}
    return subprocess.run([sys.executable, "-m", "harness", *words], env=kept, check=False).returncode  # noqa: S603


def _comment(inputs: ActionInputs, report: str, environment: Mapping[str, str]) -> str:
    """Write the comment; return its address, empty where there is no pull request.

    Raises HarnessError where it cannot be written.
    """
    event = environment.get("GITHUB_EVENT_PATH")
    number = pull_request(Path(event) if event else None)
    if number is None:
        return ""
    if not inputs.token:
        raise HarnessError("the input `token` is empty")
    key = inputs.comment_key or " / ".join(
        environment.get(name, "") for name in ("GITHUB_WORKFLOW", "GITHUB_JOB")
    )
    comments = PullRequestComments(
        environment.get("GITHUB_API_URL", "https://api.github.com"),
        environment.get("GITHUB_REPOSITORY", ""),
        number,
        inputs.token,
    )
    return comments.put(comment_body(redact(report), key), key, inputs.comment_author)


def _without_report(inputs: ActionInputs, code: int) -> str:
    board = Path(inputs.out, "leaderboard.md")
    if not (code or inputs.compares) and board.is_file():
        return board.read_text(encoding="utf-8")
    what = "compare" if inputs.compares else "run"
    return f"## harness {what}\n\nExit code {code}; there is no report: see the output of the job.\n"


def _annotate(level: str, message: str) -> None:
    text = redact(message).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    print(f"::{level} title=harness::{text}", flush=True)


def _output(environment: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    lines = [f"{name}={' '.join(value.splitlines())}\n" for name, value in outputs.items()]
    _append(environment, "GITHUB_OUTPUT", "".join(lines))


def _append(environment: Mapping[str, str], variable: str, text: str) -> None:
    """Append to one of the runner's files, where there is one."""
    if file := environment.get(variable):
        with Path(file).open("a", encoding="utf-8") as target:
            target.write(f"{text}\n" if text and not text.endswith("\n") else text)
