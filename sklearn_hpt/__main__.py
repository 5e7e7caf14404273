"""Command line: ``python -m sklearn_hpt show search.jsonl``, or ``report`` in place of ``show``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from sklearn_hpt._journal import JournalView, show
from sklearn_hpt.exceptions import JournalError
from sklearn_hpt.report import write_report

_CLEAR = "\x1b[H\x1b[2J"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sklearn_hpt", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "show", help="how far a search is, its best so far, its failures, the time left"
    )
    command.add_argument("journal", help="the file that the search was given as journal=")
    command.add_argument("--follow", action="store_true", help="go on until the search ends")
    command.add_argument(
        "--every", type=float, default=2.0, metavar="SECONDS", help="how often (default: 2)"
    )
    command = commands.add_parser("report", help="write a page that tells what was searched")
    command.add_argument("journal", help="the file that the search was given as journal=")
    command.add_argument("--to", metavar="FILE", help="the page (default: JOURNAL.html)")
    options = parser.parse_args(argv)
    if hasattr(sys.stdout, "reconfigure"):  # values may have letters that a terminal has not
        sys.stdout.reconfigure(errors="replace")
    try:
        if options.command == "report":
            written = write_report(options.journal, options.to or f"{options.journal}.html")
            sys.stdout.write(f"{written}\n")
        else:
            follow(JournalView(options.journal), options.every if options.follow else None)
    except JournalError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def follow(view: JournalView, seconds: float | None) -> None:
    """Write what the journal says, again after `seconds` each time until the search ends."""
    clear = _CLEAR if seconds is not None and sys.stdout.isatty() else ""
    while True:
        sys.stdout.write(f"{clear}{show(view)}\n")
        sys.stdout.flush()
        if seconds is None or not view.is_running:
            return
        time.sleep(seconds)
        view.refresh()


if __name__ == "__main__":
    sys.exit(main())
