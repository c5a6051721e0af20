"""Entry point of `harness` and of `python -m harness`."""

from __future__ import annotations

import signal


def main() -> None:
    """Run the command line; Ctrl-C while it is imported ends the process without a traceback."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from harness.cli import main as run

    run()


if __name__ == "__main__":
    main()
