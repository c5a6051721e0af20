"""Entry point of `harness` and of `python -m harness`."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run the command line; Ctrl-C while it is imported ends the process without a traceback.

    On Windows nothing is run: locks, signals and memory maps are those of Unix. The exit code is 2.
    """
    if sys.platform == "win32":
        sys.stderr.write(
            "Error: harness runs on Linux and macOS, not on Windows itself\n"
            "  hint: install it in the Windows Subsystem for Linux (wsl --install)\n"
        )
        sys.exit(2)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from harness.system.garbage import rarely_collected

    with rarely_collected():
        from harness.cli import main as run

        run()


if __name__ == "__main__":
    main()
