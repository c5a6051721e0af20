"""Devices: their names, and which are here. Imports torch only to look for one."""

from __future__ import annotations

import re

from harness.errors import HarnessError

_NAME = re.compile(r"auto|cpu|mps|cuda(:\d{1,3})?", re.ASCII)


def check_device_name(device: str) -> None:
    """Raise HarnessError for what is no name of a device."""
    if not _NAME.fullmatch(device):
        raise HarnessError.unknown("device", device, ("auto", "cpu", "cuda", "cuda:0", "mps"))


def check_device(device: str) -> None:
    """Raise HarnessError for a device that is not here; `auto` and `cpu` always are."""
    check_device_name(device)
    if device not in ("auto", "cpu"):
        device_of(device)


def device_of(requested: str) -> str:
    """Return the device that `auto` means here; raises HarnessError for one that does not exist."""
    if requested == "cpu":
        return requested
    import torch
    from sentence_transformers.util import get_device_name

    if requested == "auto":
        return str(get_device_name())
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    present = ["cpu", *(["cuda"] if gpus else []), *(f"cuda:{number}" for number in range(gpus))]
    present += ["mps"] if torch.backends.mps.is_available() else []
    if requested not in present:
        raise HarnessError(
            f"no device {requested!r} on this machine",
            exists=f"there: {', '.join(present)}",
            hint="--device auto takes the fastest that is there",
        )
    return requested
