"""Models on other machines, which a bench does not measure."""

from __future__ import annotations

from harness.errors import HarnessError


def refuse_remote(name: str, *, remote: bool) -> None:
    """Raise HarnessError for a model on another machine. remote: whether it is."""
    if remote:
        raise HarnessError(
            f"bench does not measure {name}: it is on another machine, and rounds would measure the network"
            " and what else that machine does",
            hint="harness run --throughput times it with a few rounds; bench the model where it runs",
        )
