"""Environment of a run: machine, libraries, git commit, command line."""

from __future__ import annotations

import importlib.metadata
import math
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.system.redact import redact

DISTRIBUTION = "embedding-harness"
"""Name of the installed distribution."""

LIBRARIES = (
    "sentence-transformers", "transformers", "tokenizers", "torch", "numpy", "scikit-learn", "mteb",
    "openvino", "onnxruntime", "scipy", "pandas", "pyarrow",
)  # fmt: skip
"""Libraries that can change a score."""

CONTROL_GROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One object per run; never part of a record, which must be the same in every run."""

    started: str
    """UTC, ISO 8601."""
    command: list[str]
    harness: str
    python: str
    libraries: dict[str, str]
    platform: str
    processor: str
    cores: int
    """Processors that this process may use."""
    memory_bytes: int
    load: float | None
    """One-minute load average at the start."""
    git_commit: str | None
    """Commit of the repository that the current folder is in. Whether its tree is dirty is not asked: git
    would then run programs that the repository's own configuration names."""


def current_environment(started: str) -> Environment:
    """Return a description of this machine and process; imports none of the libraries."""
    return Environment(
        started=started,
        command=[Path(sys.argv[0]).name, *map(redact, sys.argv[1:])],
        harness=version(),
        python=platform.python_version(),
        libraries=libraries(),
        platform=platform.platform(),
        processor=processor(),
        cores=cores(),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        load=load(),
        git_commit=_commit(Path.cwd()),
    )


def version() -> str:
    """Return the version of harness from its metadata; `unknown` if it is not installed."""
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def libraries() -> dict[str, str]:
    """Return library → version from their metadata, for libraries that can change a score."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def processor() -> str:
    """Return the processor's name from the operating system."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cores() -> int:
    """Return the processors that this process may use: affinity and control group quota, rounded up.

    At most HARNESS_PROCESSORS, where an executor has set it: several workers may share a machine.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = os.environ.get("HARNESS_PROCESSORS", "")
    return max(1, math.ceil(min(allowed, _quota(), int(share) if share.isdecimal() else math.inf)))


def _quota() -> float:
    """Return the processor time per time that the control group allows; infinity if unlimited."""
    try:
        words = (CONTROL_GROUP / "cpu.max").read_text().split()  # version 2: "200000 100000", or "max 100000"
    except OSError:
        try:
            words = [
                (CONTROL_GROUP / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period")
            ]
        except OSError:
            return math.inf
    try:
        granted, period = (float(word) for word in words)
    except ValueError:
        return math.inf
    return granted / period if granted > 0 and period > 0 else math.inf


def load() -> float | None:
    """Return the one-minute load average; None if the system has none."""
    try:
        return round(os.getloadavg()[0], 2)
    except OSError:
        return None


def _commit(folder: Path) -> str | None:
    """Return the commit that is checked out; None outside a repository. This git command runs no program."""
    try:
        answer = subprocess.run(  # noqa: S603 - fixed words, no shell
            ["git", "-C", str(folder), "rev-parse", "HEAD"],  # noqa: S607 - whichever git the user has
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


_OUT_OF_MEMORY = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "Failed to allocate memory",
    "bad_alloc",
    "Unable to allocate",
)
"""Messages of torch (GPU and CPU), ONNX Runtime, C++ libraries and numpy."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: fewer texts at a time may then fit."""
    # Not HarnessError: smaller batches were tried before it was raised.
    native = isinstance(error, RuntimeError) or type(error).__module__.startswith("onnxruntime")
    return isinstance(error, MemoryError) or (native and any(words in str(error) for words in _OUT_OF_MEMORY))
