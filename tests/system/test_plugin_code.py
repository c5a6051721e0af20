"""Whatever code of a plugin does costs no more than its own result."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.errors import HarnessError
from harness.system import streams
from harness.system.plugin_code import (
    PluginError,
    PluginExitError,
    error_sentence,
    error_text,
    plugin_code,
    raised_by,
)
from harness.system.signals import Interrupted, handle_signals


class Outcome(BaseException):
    """As pytest's `Failed` is."""


@pytest.mark.parametrize(
    "raised", [SystemExit(3), GeneratorExit(), asyncio.CancelledError(), Outcome("mine"), KeyboardInterrupt()]
)
def test_what_is_not_an_exception_becomes_one_that_names_it(raised):
    with handle_signals(), pytest.raises(PluginExitError) as caught, plugin_code():
        raise raised
    assert error_sentence(caught.value).startswith(type(raised).__name__)
    assert raised_by(caught.value) is raised


@pytest.mark.parametrize("raised", [KeyError("a"), HarnessError("b"), MemoryError(), RecursionError()])
def test_an_exception_passes_as_it_is(raised):
    with pytest.raises(type(raised)) as caught, plugin_code():
        raise raised
    assert caught.value is raised


def send():
    os.kill(os.getpid(), signal.SIGINT)


def swallowed():
    with contextlib.suppress(BaseException):
        send()


def turned_into(other):
    def turning():
        try:
            send()
        except BaseException:  # noqa: BLE001 - as a careless plugin does
            raise other from None

    return turning


@pytest.mark.parametrize(
    "interrupted",
    [
        send,
        swallowed,
        turned_into(RuntimeError()),
        turned_into(SystemExit()),
        turned_into(KeyboardInterrupt()),
    ],
)
def test_the_users_interruption_is_never_lost_whatever_a_plugin_makes_of_it(interrupted):
    with pytest.raises(Interrupted), handle_signals():
        with plugin_code():
            interrupted()
        raise AssertionError("not interrupted")


def test_an_interruption_of_before_is_not_raised_again():
    with handle_signals():
        with pytest.raises(Interrupted):
            send()
        with plugin_code():
            pass
        with pytest.raises(PluginExitError), plugin_code():
            raise SystemExit


def test_in_a_python_users_own_program_a_keyboard_interrupt_is_the_users():
    with pytest.raises(KeyboardInterrupt), plugin_code():
        raise KeyboardInterrupt


def test_a_keyboard_interrupt_is_the_users_where_a_plugin_replaced_our_handler():
    with pytest.raises(KeyboardInterrupt), handle_signals(), plugin_code():
        signal.signal(signal.SIGINT, signal.default_int_handler)
        send()
        raise AssertionError("not interrupted")


def test_the_current_folder_is_afterwards_what_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="gone"), plugin_code():
        os.chdir("/")
        raise ValueError("gone")
    assert Path.cwd() == tmp_path


def test_a_process_that_a_plugin_forked_does_not_go_on_with_the_run(tmp_path):
    with plugin_code():
        child = os.fork()
    # The child never comes here: it would write this file, and run the rest of the tests.
    (tmp_path / str(os.getpid())).touch()
    os.waitpid(child, 0)
    assert [path.name for path in tmp_path.iterdir()] == [str(os.getpid())]


def test_an_error_whose_text_cannot_be_made_still_has_a_sentence():
    class UnspeakableError(Exception):
        def __str__(self):
            raise SystemExit("no text")

    assert error_sentence(UnspeakableError()) == "UnspeakableError: its text cannot be shown: SystemExit"
    assert error_sentence(KeyError()) == "KeyError without a message"


def test_a_umask_that_a_plugin_sets_ends_with_its_code():
    before = os.umask(0o022)
    try:
        with plugin_code():
            os.umask(0o777)
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


def test_of_a_very_long_text_both_ends_and_its_length_are_kept():
    text = error_text(ValueError("begin" + "x" * 10_000_000 + "end"))
    assert len(text) < 11_000
    assert text.startswith("beginxx")
    assert text.endswith("xxend")
    assert "[10,000,008 characters in all]" in text


def test_a_secret_where_a_long_text_is_cut_is_hidden(monkeypatch):
    monkeypatch.setenv("SERVICE_KEY", "pass word 4711 of a service")
    for at in range(4_970, 5_001):
        text = error_text(ValueError("x" * at + "pass word 4711 of a service" + "y" * 20_000))
        assert "pass" not in text
        assert "service" not in text


def test_modes_that_a_plugin_sets_end_with_its_code():
    limit, errors = sys.getrecursionlimit(), np.geterr()
    with plugin_code():
        sys.setrecursionlimit(limit + 77)
        np.seterr(all="raise")
    assert sys.getrecursionlimit() == limit
    assert np.geterr() == errors


def test_what_a_plugin_prints_is_no_output_of_a_command(capsys, monkeypatch):
    monkeypatch.setitem(streams._encodings, 1, "utf-8")  # as in a command
    with plugin_code():
        print("debugging")
        with plugin_code():
            print("within")
    print("result")
    assert capsys.readouterr() == ("result\n", "debugging\nwithin\n")


def test_in_a_python_users_own_program_a_plugin_prints_where_it_wants(capsys):
    with plugin_code():
        print("debugging")
    assert capsys.readouterr().out == "debugging\n"


def test_an_error_of_an_error_of_a_plugin_was_raised_by_the_innermost():
    first = ZeroDivisionError()
    inner, outer = PluginExitError("inner"), PluginError("metric x raised inner")
    inner.__cause__, outer.__cause__ = first, inner
    assert raised_by(outer) is first
    assert error_sentence(outer) == "metric x raised inner"
