"""Tests reach no other machine, and models load without a network."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest
from conftest import ATTEMPTS

from harness import load_model

ELSEWHERE = "192.0.2.1"  # reserved for documentation: no machine has it


@pytest.fixture
def attempts():
    """Return the attempts to reach the network since the test began; they are deleted after it."""
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
def test_no_other_machine_can_be_reached(reach, attempts):
    with pytest.raises(ConnectionRefusedError, match="tests reach no network"):
        reach()
    assert "socket." in attempts()


def test_a_process_that_a_test_starts_cannot_reach_another_machine(attempts):
    code = f"import socket; socket.create_connection(('{ELSEWHERE}', 80), timeout=0.1)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "tests reach no network" in ran.stderr
    assert ELSEWHERE in attempts()


def test_this_machine_can_be_reached():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


def test_a_model_folder_is_loaded_and_used_without_a_network(tiny, monkeypatch):
    """Also without the suite's own HF_HUB_OFFLINE."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    assert load_model(str(tiny)).encode(["a text"]).shape == (1, 32)
