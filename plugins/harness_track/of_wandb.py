"""A run of Weights & Biases for each model of a run of the harness."""

from __future__ import annotations

import contextlib
import netrc
import os
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import HarnessError

if TYPE_CHECKING:
    from harness.authoring import TrackedEnd, TrackedModel, TrackedRecord

_PROJECT = "harness"
_EXIT_CODES = {"finished": 0, "failed": 1, "interrupted": 255}
_PATIENCE = 30.0
"""Maximum seconds to wait for the server to take a new run; wandb's default is 90."""


def check_key() -> None:
    """Raise HarnessError where wandb would ask for a key: nobody may be there to answer."""
    if os.environ.get("WANDB_MODE") in ("offline", "dryrun", "disabled"):
        return
    if any(os.environ.get(name) for name in ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE")):
        return
    address = os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")
    if not _in_netrc(urllib.parse.urlsplit(address).hostname or address):
        raise HarnessError(
            f"tracker wandb needs a key for {address}",
            hint="`wandb login`, or WANDB_API_KEY; WANDB_MODE=offline needs none",
        )


def _in_netrc(host: str) -> bool:
    """Whether `wandb login` has written a key for a host."""
    files = [os.environ.get("NETRC") or "~/.netrc", "~/_netrc"]
    for file in files:
        with contextlib.suppress(OSError, netrc.NetrcParseError, UnicodeDecodeError):
            if host in netrc.netrc(Path(file).expanduser()).hosts:
                return True
    return False


class WandbRun:
    """A run in the project WANDB_PROJECT, by default `harness`; runs of one harness run are a group.

    It is beside the active run, if any. Neither the command line, nor the repository's address, nor what is
    printed is sent: they may hold keys and texts.
    """

    def __init__(self, model: TrackedModel) -> None:
        import wandb

        self._wandb: Any = wandb
        self._run: Any = wandb.init(
            project=os.environ.get("WANDB_PROJECT", _PROJECT),
            name=model.model,
            group=os.environ.get("WANDB_RUN_GROUP", model.run),
            job_type="evaluation",
            config={**model.parameters, "harness.run": model.run},
            reinit="create_new",
            save_code=False,
            settings=wandb.Settings(
                console="off",
                disable_git=True,
                disable_code=True,
                x_disable_meta=True,
                x_disable_stats=True,
                x_disable_machine_info=True,
                silent=True,
                init_timeout=_PATIENCE,
            ),
        )

    def log(self, record: TrackedRecord) -> None:
        """Log what was asked and the scores; kept records too, so that each run is whole."""
        self._run.config.update(dict(record.parameters))
        self._run.log(dict(record.metrics))

    def close(self, end: TrackedEnd) -> None:
        """Log the speed and the leaderboards, and end the run."""
        try:
            self._run.log(dict(end.metrics))
            if end.files:
                artifact = self._wandb.Artifact("leaderboard", type="leaderboard")
                for name, content in end.files.items():
                    with artifact.new_file(name, mode="wb") as file:
                        file.write(content)
                self._run.log_artifact(artifact)
        finally:
            self._run.finish(exit_code=_EXIT_CODES[end.status])
