"""A small process that forks workers, so that a new worker costs milliseconds.

Importing scikit-learn takes more than a second and torch several. This process imports them
once and never computes anything, so it holds no thread pool that a fork would break; each
worker is a fork of it. `multiprocessing`'s own fork server is not used because it imports the
caller's `__main__` in every worker, which runs an unguarded script again, and because its
workers outlive a caller that is killed: this one, in a session of its own, ends them.

The caller holds one end of a socket and sends requests as JSON, one at a time; each gets one
reply. When the socket closes the caller is gone.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import shutil
import signal
import socket
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from sklearn_hpt._executors._worker import work

_LARGEST_REQUEST = 2**20
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux, where alone this server is used
_IDLE_SECONDS = 300.0  # without workers it ends after this time, as joblib's do


def serve(fd: int) -> None:
    """Answer requests on the socket `fd` until the caller is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = _ForkServer(socket.socket(fileno=fd))
    try:
        while server.answer_one():
            pass
    finally:
        server.clean_up()


class _ForkServer:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._pid = os.getpid()
        self._workers: set[int] = set()
        self._folders: set[str] = set()

    def answer_one(self) -> bool:
        self._control.settimeout(None if self._workers else _IDLE_SECONDS)
        try:
            data, fds, _, _ = socket.recv_fds(self._control, _LARGEST_REQUEST, 1)
        except (TimeoutError, ConnectionError):
            return False
        if not data:
            return False
        request = json.loads(data)
        answer = getattr(self, "_" + request.pop("do"))
        reply = answer(*fds, **request)
        self._control.sendall(json.dumps(reply).encode())
        return True

    def _import(self, modules: list[str], path: list[str]) -> None:
        sys.path[:] = path
        for name in modules:
            try:
                importlib.import_module(name)
            except Exception:
                continue  # the worker that needs it will say what is wrong

    def _keep(self, folders: list[str]) -> None:
        """Remember folders to remove if the caller dies."""
        self._folders.update(folders)

    def _forget(self, folders: list[str]) -> None:
        self._folders.difference_update(folders)

    def _fork(self, fd: int) -> int:
        pid = os.fork()
        if pid:
            os.close(fd)
            with suppress(OSError):  # the worker does it too, whoever is first
                os.setpgid(pid, pid)
            self._workers.add(pid)
            return pid
        code = 1
        try:
            _die_with(self._pid)
            os.setpgid(0, 0)  # a group of its own, to be ended with all that it starts
            self._control.close()
            work(Connection(fd))
            code = 0
        finally:
            os._exit(code)

    def _end(self, pid: int) -> int | None:
        """Kill a worker and what it started; return its exit code, or minus its signal."""
        if pid not in self._workers:
            return None
        self._workers.remove(pid)
        # one that has died by itself is reaped with its own status: a signal to it is lost
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)

    def clean_up(self) -> None:
        for pid in list(self._workers):
            self._end(pid)
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)


def _die_with(parent: int) -> None:
    """Have this process killed when its parent dies, as when a cluster engine kills both."""
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:  # it has died already
        os._exit(1)


def main(argv: list[Any]) -> None:
    """Entry point: the number of the inherited socket."""
    serve(int(argv[0]))
