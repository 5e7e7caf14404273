"""Start worker processes and end them."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Protocol

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def user_limits_threads() -> bool:
    """Tell whether the user has set the number of threads in the environment."""
    return any(name in os.environ for name in _THREAD_VARIABLES)


def worker_environment() -> dict[str, str]:
    """Return the environment variables of workers: one thread unless the user said otherwise."""
    environment = dict(os.environ)
    if not user_limits_threads():
        environment.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    return environment


class WorkerHandle(Protocol):
    """A worker process, seen from the process that searches."""

    connection: Connection

    def end(self) -> int | None:
        """Kill the process if it is alive; return its exit code, or minus its signal.

        None if it may have died with the process that started it.
        """


class Launcher(Protocol):
    """Starts worker processes that run `sklearn_hpt._executors._worker.work`."""

    def launch(self) -> WorkerHandle:
        """Start a worker."""

    def keep(self, folders: list[str]) -> None:
        """Have these folders removed should this process die."""

    def forget(self, folders: list[str]) -> None:
        """Undo `keep`."""


def make_launcher(modules: Iterable[str]) -> Launcher:
    """Return the quickest launcher of this platform, workers to have `modules` imported.

    Forking is safe on Linux from a process without threads of its own; on macOS system
    libraries forbid it.
    """
    if not sys.platform.startswith("linux"):
        return SpawnLauncher()
    launcher = ForkServerLauncher.running()
    launcher.preload(modules)
    return launcher


def import_path() -> list[str]:
    """Return `sys.path` without what is no string, which the import system ignores too."""
    return [entry for entry in sys.path if isinstance(entry, str)]


def _socketpair(kind: int = socket.SOCK_STREAM) -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets that block, whatever the default time-out is."""
    pair = socket.socketpair(socket.AF_UNIX, kind)
    for end in pair:
        end.settimeout(None)
    return pair


def _start(function: str, sock: socket.socket, **options: Any) -> subprocess.Popen[bytes]:
    """Run `function(fd)` of this package in a new interpreter that inherits the socket."""
    module, name = function.rsplit(".", 1)
    code = (
        f"import sys; sys.path[:] = {import_path()!r}; "
        f"from {module} import {name}; {name}(sys.argv[1:])"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(sock.fileno())],
        pass_fds=[sock.fileno()],
        stdin=subprocess.DEVNULL,
        env=worker_environment(),
        **options,
    )


class SpawnLauncher:
    """Starts each worker as a new interpreter."""

    def launch(self) -> WorkerHandle:
        ours, theirs = _socketpair()
        with theirs:
            process = _start("sklearn_hpt._executors._spawned.main", theirs)
        return _Spawned(process, Connection(ours.detach()))

    def keep(self, folders: list[str]) -> None:
        """Do nothing: nobody outlives this process to remove them."""

    def forget(self, folders: list[str]) -> None:
        """Do nothing."""


class _Spawned:
    def __init__(self, process: subprocess.Popen[bytes], connection: Connection) -> None:
        self._process = process
        self.connection = connection

    def end(self) -> int:
        self.connection.close()
        if self._process.poll() is None:
            with suppress(subprocess.TimeoutExpired):  # it may be on its way out
                self._process.wait(0.05)
        self._process.kill()
        return self._process.wait()


class ForkServerLauncher:
    """Asks one server process, started on first use, to fork each worker."""

    _current: ForkServerLauncher | None = None
    _lock = threading.RLock()

    @classmethod
    def running(cls) -> ForkServerLauncher:
        """Return the launcher of this process, with its server alive."""
        with cls._lock:
            current = cls._current
            if current is None or not current._answers():
                current = cls._current = cls()
            return current

    def __init__(self) -> None:
        self._owner = os.getpid()
        ours, theirs = _socketpair(socket.SOCK_SEQPACKET)
        self._control = ours
        self._preloaded: set[str] = set()
        with theirs:  # a session of its own: a signal to this one must not reach the server
            self._process = _start(
                "sklearn_hpt._executors._fork_server.main", theirs, start_new_session=True
            )
        atexit.register(self.close)
        os.register_at_fork(after_in_child=ours.close)

    def _answers(self) -> bool:
        gone = self._control.fileno() < 0 or self._process.poll() is not None
        if gone or self._owner != os.getpid():
            return False
        with suppress(OSError):
            self.keep([])
            return True
        return False

    def _ask(self, do: str, *fds: int, **arguments: Any) -> Any:
        message = json.dumps({"do": do, **arguments}).encode()
        with self._lock:
            try:
                socket.send_fds(self._control, [message], list(fds))
                reply = self._control.recv(2**16)
            except BaseException:
                # interrupted between a request and its reply: the next reply would be this one
                self._control.close()
                raise
        if not reply:
            raise ConnectionError("The process that starts workers has died.")
        return json.loads(reply)

    def preload(self, modules: Iterable[str]) -> None:
        """Import modules once for all workers to come.

        Only installed ones: the user's own may have changed by the time a worker starts.
        """
        new = sorted(name for name in set(modules) - self._preloaded if _is_installed(name))
        if new:
            self._preloaded.update(new)
            self._ask("import", modules=new, path=import_path())

    def launch(self) -> WorkerHandle:
        ours, theirs = _socketpair()
        with theirs:
            try:
                pid = self._ask("fork", theirs.fileno())
            except OSError:
                if (successor := self.running()) is self:
                    raise
                return successor.launch()
        return _Forked(self, pid, Connection(ours.detach()))

    def end(self, pid: int) -> int:
        return self._ask("end", pid=pid)

    def keep(self, folders: list[str]) -> None:
        self._ask("keep", folders=folders)

    def forget(self, folders: list[str]) -> None:
        self._ask("forget", folders=folders)

    def close(self) -> None:
        """End the server and its workers."""
        if self._owner == os.getpid():
            self._control.close()
            self._process.wait()


class _Forked:
    def __init__(self, launcher: ForkServerLauncher, pid: int, connection: Connection) -> None:
        self._launcher = launcher
        self._pid = pid
        self._has_ended = False
        self._exit_code: int | None = None
        self.connection = connection

    def end(self) -> int | None:
        self.connection.close()
        if not self._has_ended:
            self._has_ended = True
            with suppress(OSError):  # the server has died, and its workers with it
                self._exit_code = self._launcher.end(self._pid)
        return self._exit_code


def _is_installed(module: str) -> bool:
    found = sys.modules.get(module)
    path = getattr(found, "__file__", None) or ""
    return path.startswith((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))


def describe_exit(code: int) -> str:
    """Say in words how a process ended."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        return f"was ended by signal {-code}"
    causes = {"SIGKILL": ", as by the system when memory runs out", "SIGSEGV": ", a memory fault"}
    return f"was ended by {name}{causes.get(name, '')}"
