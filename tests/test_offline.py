"""No network unless a hub id is asked for: what keeps every test of the suite to this machine."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest
from conftest import ATTEMPTS

from harness import load_model

ELSEWHERE = "192.0.2.1"  # reserved for documentation: no machine has it


@pytest.fixture
def noted():
    """What was noted as an attempt; it is forgotten afterwards, since it was meant."""
    before = ATTEMPTS.stat().st_size
    yield lambda: ATTEMPTS.read_text()[before:]
    with ATTEMPTS.open("r+") as file:
        file.truncate(before)


def datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.sendto(b"", (ELSEWHERE, 53))


@pytest.mark.parametrize(
    "reach",
    [
        pytest.param(lambda: socket.create_connection((ELSEWHERE, 80), timeout=0.1), id="an address"),
        pytest.param(lambda: socket.create_connection(("huggingface.co", 443), timeout=0.1), id="a name"),
        pytest.param(datagram, id="a datagram"),
    ],
)
def test_no_other_machine_can_be_reached(reach, noted):
    with pytest.raises(ConnectionRefusedError, match="tests reach no network"):
        reach()
    assert "socket." in noted()


def test_no_process_that_a_test_starts_can_reach_one(noted):
    code = f"import socket; socket.create_connection(('{ELSEWHERE}', 80), timeout=0.1)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "tests reach no network" in found.stderr
    assert ELSEWHERE in noted()


def test_this_machine_can_be_reached():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


def test_a_model_folder_is_loaded_and_used_without_a_network(tiny, monkeypatch):
    """Also where nothing says that there is none: the suite's own HF_HUB_OFFLINE is taken away."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    assert load_model(str(tiny)).encode(["a text"]).shape == (1, 32)
