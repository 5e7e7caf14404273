"""A journal file that one process writes: locked, appended to line by line, kept whole."""

from __future__ import annotations

import errno
import os
import sys
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from sklearn_hpt._journal._lines import Event, Reader, encode
from sklearn_hpt.exceptions import JournalError, JournalLockedError

_LOCK_SECONDS = 0.5  # a reader that looks whether somebody writes holds the lock for a moment
_SYNC_LINES, _SYNC_SECONDS = 20, 1.0
_CANNOT_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EROFS}  # pipes, some mounts
_OPEN_FILES: weakref.WeakSet[JournalFile] = weakref.WeakSet()


class JournalFile:
    """Appends events to a file; `events` are those that were there before.

    Each line is handed to the operating system at once, so that it survives the end of this
    process, and to the disk after 20 lines or a second, whichever is first.

    Parameters
    ----------
    path : path-like
        The file; it is created if it is not there, and a torn last line is cut off.

    Raises
    ------
    JournalError
        If the file cannot be written, or is no journal.
    JournalCorruptError
        If a line but the last one is damaged.
    JournalLockedError
        If another search writes it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._fd = self._open()
        try:
            self._lock()
            data = _read_all(self._fd)
            reader = Reader(self.path)
            self.events: list[Event] = list(reader.events(data))
            self._crc, self._n_bytes = reader.crc, reader.n_bytes
            if len(data) > self._n_bytes:
                os.ftruncate(self._fd, self._n_bytes)
        except BaseException:
            os.close(self._fd)
            raise
        self._n_unsynced = 0
        self._synced = time.monotonic()
        _OPEN_FILES.add(self)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        check_regular(self.path)
        try:
            is_new = not os.path.exists(self.path)
            fd = os.open(self.path, flags, 0o666)
            if is_new:
                _sync_folder(self.path)
            return fd
        except OSError as error:
            hint = " (its folder does not exist)" if error.errno == errno.ENOENT else ""
            raise JournalError(
                f"journal={self.path!r} cannot be written: {error.strerror}{hint}. "
                "Give the path of a file in a folder that exists and can be written."
            ) from error

    def _lock(self) -> None:
        give_up = time.monotonic() + _LOCK_SECONDS
        while not lock(self._fd):
            if time.monotonic() > give_up:
                raise JournalLockedError(
                    f"journal={self.path!r} is being written by another search. Wait for it to "
                    "end, or give this search a journal of its own."
                )
            time.sleep(0.02)

    def append(self, event: Event) -> None:
        """Write an event as the next line.

        Raises
        ------
        JournalError
            If the disk is full, or the line cannot be written for another reason; the file
            then ends with the line before.
        """
        line, crc = encode(event, self._crc)
        try:
            _write_all(self._fd, line)
            self._sync_if_due()
        except OSError as error:
            self._undo(error)
        self._crc, self._n_bytes = crc, self._n_bytes + len(line)

    def _sync_if_due(self) -> None:
        self._n_unsynced += 1
        if self._n_unsynced >= _SYNC_LINES or time.monotonic() - self._synced >= _SYNC_SECONDS:
            self.sync()

    def sync(self) -> None:
        """Have the lines so far survive a power cut."""
        try:
            os.fsync(self._fd)
        except OSError as error:
            if error.errno not in _CANNOT_SYNC:
                raise
        self._n_unsynced, self._synced = 0, time.monotonic()

    def _undo(self, error: OSError) -> NoReturn:
        with suppress(OSError):
            os.ftruncate(self._fd, self._n_bytes)
        raise JournalError(
            f"journal={self.path!r} cannot be written any more: {error.strerror}. The "
            "evaluations so far are in it, and in the attributes of this search; make room and "
            "call fit again to go on from there."
        ) from error

    def close(self) -> None:
        """Write to disk and give the file free."""
        if self._fd < 0:
            return
        try:
            self.sync()
        except OSError as error:
            self._undo(error)
        finally:
            self._drop()

    def _drop(self) -> None:
        _OPEN_FILES.discard(self)
        fd, self._fd = self._fd, -1
        os.close(fd)


def check_regular(path: str) -> None:
    """Raise if there is something that is no file to read again: to open a pipe may wait for ever.

    Raises
    ------
    JournalError
        If there is a folder, a pipe, a device or a socket.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        kind = (
            "a folder" if os.path.isdir(path) else "a pipe or a device, which cannot be read again"
        )
        raise JournalError(
            f"journal={path!r} cannot be used: it is {kind}. Give the path of a file in a folder "
            "that exists and can be written."
        )


def is_being_written(fd: int) -> bool:
    """Tell whether a process has the file of this descriptor open as its journal."""
    free = lock(fd, shared=True)
    if free:
        unlock(fd)
    return not free


def _read_all(fd: int) -> bytes:
    os.lseek(fd, 0, os.SEEK_SET)
    parts = []
    while part := os.read(fd, 2**24):
        parts.append(part)
    return b"".join(parts)


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _sync_folder(path: str) -> None:
    """Have the new file's name survive a power cut."""
    with suppress(OSError):  # not on Windows
        folder = os.open(Path(path).absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


# The lock is one that the operating system gives free when its process ends, however it ends;
# a lock file would outlive a process that is killed. Such a lock is a few lines, so the
# package filelock was not taken for it.

if sys.platform == "win32":
    import msvcrt

    _FAR = 2**62  # beyond the end: the locked byte cannot be read by others

    def lock(fd: int, *, shared: bool = False) -> bool:
        """Try to lock an open file; return whether it worked."""
        position = os.lseek(fd, 0, os.SEEK_CUR)
        os.lseek(fd, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(fd, position, os.SEEK_SET)
        return True

    def unlock(fd: int) -> None:
        """Give a lock free."""
        position = os.lseek(fd, 0, os.SEEK_CUR)
        os.lseek(fd, _FAR, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
        os.lseek(fd, position, os.SEEK_SET)

else:
    import fcntl

    def lock(fd: int, *, shared: bool = False) -> bool:
        """Try to lock an open file; return whether it worked.

        On a file system that knows no locks it counts as locked by us.
        """
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def unlock(fd: int) -> None:
        """Give a lock free."""
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_UN)

    def _drop_in_child() -> None:
        """A fork of this process holds the lock as long as it holds the file."""
        for file in list(_OPEN_FILES):
            file._drop()

    os.register_at_fork(after_in_child=_drop_in_child)
