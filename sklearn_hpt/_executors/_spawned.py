"""Entry point of a worker that is a new interpreter."""

from __future__ import annotations

import signal
from multiprocessing.connection import Connection

from sklearn_hpt._executors._worker import work


def main(argv: list[str]) -> None:
    """Work on the connection whose number is the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    work(Connection(int(argv[0])))
