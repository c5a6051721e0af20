"""The first signal waits for a write to finish, the second stops at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from harness.system.signals import Interrupted, defer_signals, handle_signals


def send(number=signal.SIGINT):
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_at_once_while_nothing_is_written(number):
    with pytest.raises(Interrupted) as caught, handle_signals():
        send(number)
        raise AssertionError("not interrupted")
    assert caught.value.signal == number


def test_the_first_signal_waits_until_nested_writes_are_done(capfd):
    done = []
    with pytest.raises(Interrupted), handle_signals():
        with defer_signals():
            with defer_signals():
                send()
                done.append("inner")
            done.append("outer")
        raise AssertionError("not interrupted")
    assert done == ["inner", "outer"]
    assert "a second signal stops at once" in capfd.readouterr().err


def test_the_second_signal_interrupts_a_write():
    done = []
    with pytest.raises(Interrupted), handle_signals(), defer_signals():
        send()
        done.append("first")
        send(signal.SIGTERM)
        done.append("second")
    assert done == ["first"]


def test_a_write_that_begins_after_the_first_signal_is_not_protected_from_the_second():
    with pytest.raises(Interrupted), handle_signals():
        try:
            send()
        except Interrupted:
            with defer_signals():
                send()
                raise AssertionError("not interrupted") from None


def test_handlers_are_restored_and_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        with handle_signals():
            send(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) is interrupt
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_write_in_a_thread_does_not_delay_an_interruption():
    inside, leave = threading.Event(), threading.Event()

    def write():
        with defer_signals():
            inside.set()
            leave.wait(30)

    writer = threading.Thread(target=write)
    writer.start()
    inside.wait(30)
    with pytest.raises(Interrupted), handle_signals():
        send()
        raise AssertionError("not interrupted")
    leave.set()
    writer.join()


def test_an_interruption_with_advice_keeps_its_signal():
    interruption = Interrupted.with_advice(Interrupted(signal.SIGTERM), "how to continue")
    assert (interruption.signal, interruption.advice) == (signal.SIGTERM, "how to continue")
    assert Interrupted.with_advice(KeyboardInterrupt(), "").signal == signal.SIGINT


EARLY = """
import os, runpy, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
runpy.run_module("harness", run_name="__main__", alter_sys=True)
"""


def test_ctrl_c_before_the_command_line_is_imported_ends_without_a_traceback():
    ran = subprocess.run([sys.executable, "-c", EARLY], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (-signal.SIGINT, "", "")
