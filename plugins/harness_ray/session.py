"""A Ray that is started here or joined, in a thread of its own; it ends with the run."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import HarnessError
from harness.authoring import cores, import_extra
from harness_ray.address import RayAddress, refuse_open, refuse_silent

if TYPE_CHECKING:
    from collections.abc import Iterator

_STORE = 256 << 20
"""Bytes of the object store of a Ray that we start: results are a few megabytes each, and taken at once."""
_PATIENCE = {"join": 15.0, "start": 120.0, "end": 20.0}
"""Maximum seconds until a Ray is joined, is started, has ended."""
_LONGEST = 40
"""Maximum characters of a temporary folder: the paths of Ray's sockets are below it, and have 107."""
_LOCAL = {
    # Otherwise Ray takes the machine's own address in place of loopback, which others can reach.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}
_ALWAYS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # By default Ray does again without end what it killed for memory; the dispatcher counts tries.
    "RAY_task_oom_retries": "0",
    # Keep what Ray says of accelerators as it is, without a warning.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


class Session:
    """A connection to Ray; a Ray that it started ends with it.

    Ray binds the life of its processes to the thread that starts them, and its `init` takes SIGTERM from the
    main thread: so a thread of ours does both, and nothing else.
    address: None to start one. Raises HarnessError where it cannot be started or joined, within seconds.
    """

    def __init__(self, address: RayAddress | None) -> None:
        if address is not None:
            refuse_open(address)
            refuse_silent(address)
        os.environ.update({name: value for name, value in _ALWAYS.items() if name not in os.environ})
        if address is None:
            os.environ.update({name: value for name, value in _LOCAL.items() if name not in os.environ})
            if not any(os.environ.get(f"RAY_AUTH_TOKEN{end}") for end in ("", "_PATH")):
                os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)  # else Ray writes one to the home folder
        self.ray: Any = import_extra("ray", "ray", "executor ray")
        _silence(self.ray)
        self.is_ours = address is None
        self._address = address
        self._error: BaseException | None = None
        self._borrowed = bool(self.ray.is_initialized())
        """Whether this process was connected before: then it stays so."""
        self._up, self._end, self._ended = threading.Event(), threading.Event(), threading.Event()
        if self._borrowed:
            self._up.set()
            self._ended.set()
            return
        threading.Thread(target=self._serve, name="ray", daemon=True).start()
        self._wait_until_up()

    def close(self) -> None:
        """End the Ray that was started here, or leave the one that was joined: its actors of ours end."""
        self._end.set()
        self._ended.wait(_PATIENCE["end"])

    def _wait_until_up(self) -> None:
        try:
            answered = self._up.wait(_PATIENCE["start" if self.is_ours else "join"])
        except BaseException:
            self._end.set()
            raise
        if self._error is None and answered:
            return
        self._end.set()
        raise _failure(self._address, self._error) from self._error

    def _serve(self) -> None:
        folder = _temporary_folder() if self.is_ours else None
        try:
            try:
                self._connect(folder)
            except BaseException as error:  # noqa: BLE001 - it is raised where the run waits
                self._error = error
                self._up.set()
            else:
                self._up.set()
                self._end.wait()
            with contextlib.suppress(Exception):
                self.ray.shutdown()
        finally:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
            self._ended.set()

    def _connect(self, folder: Path | None) -> None:
        options: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        if self._address is not None:
            self.ray.init(str(self._address), **options)
            return
        with _without_api_server(self.ray):
            self.ray.init(
                "local",
                num_cpus=cores(),
                object_store_memory=_STORE,
                include_dashboard=False,
                _node_ip_address="127.0.0.1",
                _temp_dir=str(folder),
                **options,
            )


def _failure(address: RayAddress | None, error: BaseException | None) -> HarnessError:
    """Return what is said of a Ray that did not come up."""
    text = str(error or "").strip()
    if address is None:
        return HarnessError(
            "Ray did not start on this machine"
            + (f": {_first_line(text)}" if text else " within two minutes"),
            hint="--executor processes needs no Ray",
        )
    if "version" in text.lower():
        import ray

        here = f"Ray {ray.__version__}, Python {'.'.join(map(str, sys.version_info[:3]))}"
        return HarnessError(
            f"the Ray at {address} has other versions than this process: {here} here",
            exists=text[:1000],
            hint="install the same versions on all its nodes and here",
        )
    if isinstance(error, ImportError):
        return HarnessError(
            f"{address} needs the Ray Client, which cannot be imported: {_first_line(text)}",
            hint="pip install 'embedding-harness[ray]'",
        )
    reason = _first_line(text) if text else "no answer of a Ray in 15 seconds"
    return HarnessError(
        f"cannot join the Ray at {address}: {reason}",
        hint="is it a Ray's head (6379; as ray://HOST:10001 from elsewhere), and is the token the same?",
    )


def _first_line(text: str) -> str:
    return next(iter(text.splitlines()), "")[:300]


def _silence(ray: Any) -> None:  # noqa: ANN401 - the module
    """Keep Ray from writing to this process's streams: what ended is told by the run."""
    logging.getLogger("ray").setLevel(logging.CRITICAL + 1)  # its `init` clears handlers
    worker = ray._private.worker  # noqa: SLF001 - there is no other way to keep it off standard output
    if hasattr(worker, "_worker_logs_enabled"):
        worker._worker_logs_enabled = False  # noqa: SLF001 - as above


@contextlib.contextmanager
def _without_api_server(ray: Any) -> Iterator[None]:  # noqa: ANN401 - as above
    """Start no server of usage statistics, which Ray does without a dashboard, too, and also if they are off.

    To write that they are off, it asks the network in which cloud it is.
    """
    services = ray._private.services  # noqa: SLF001 - no option keeps it from that
    start = services.start_api_server
    services.start_api_server = lambda *_, **__: ("", None)
    try:
        yield
    finally:
        services.start_api_server = start


def _temporary_folder() -> Path:
    folder = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="harness-ray-", dir=folder if len(folder) < _LONGEST else "/tmp"))  # noqa: S108
