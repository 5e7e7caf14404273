"""Send large arrays to local processes once: as files that every process maps.

Everything but the arrays goes through cloudpickle, so that classes and functions defined in
`__main__` or a notebook arrive. joblib's own memory mapping is not used because it is tied to
its `Parallel`, hashes every array, and maps one file for each call.
"""

from __future__ import annotations

import io
import os
import pickle
import shutil
import tempfile
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np

from sklearn_hpt import nets

_MAPPED_FROM = 2**20  # bytes; smaller arrays are pickled, as joblib does


class Payload:
    """An object pickled with its large arrays in files.

    Parameters
    ----------
    value : object
        What to send.

    Attributes
    ----------
    data : bytes
        What `load` reads; the files must still exist then.
    """

    def __init__(self, value: Any) -> None:
        self._folders: dict[str, Path] = {}
        buffer = io.BytesIO()
        try:
            _ArraysToFiles(buffer, self._save).dump(value)
        except BaseException:
            self.delete()
            raise
        self.data = buffer.getvalue()

    @property
    def folders(self) -> list[str]:
        """The folders that hold the files."""
        return [str(folder) for folder in self._folders.values()]

    def _save(self, array: np.ndarray) -> str:
        parent = _fastest_folder(array.nbytes)
        if parent not in self._folders:
            self._folders[parent] = Path(tempfile.mkdtemp(prefix="sklearn_hpt_", dir=parent))
        folder = self._folders[parent]
        path = folder / f"{len(list(folder.iterdir()))}.npy"
        np.save(path, array, allow_pickle=False)
        return str(path)

    def delete(self) -> None:
        """Remove the files; processes that have mapped them keep their view."""
        for folder in self._folders.values():
            shutil.rmtree(folder, ignore_errors=True)


def load(data: bytes) -> Any:
    """Return the object of a `Payload`, its large arrays mapped read-only."""
    return _ArraysFromFiles(io.BytesIO(data)).load()


class _ArraysToFiles(cloudpickle.Pickler):
    def __init__(self, file: io.BytesIO, save: Any) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._save = save

    def reducer_override(self, value: Any) -> Any:
        # the scorer holds the user's net, which may be fitted and of a class of a notebook
        of_net = nets.reduced(value)
        return super().reducer_override(value) if of_net is NotImplemented else of_net

    def persistent_id(self, value: Any) -> Any:
        if type(value) not in (np.ndarray, np.memmap) or value.dtype.hasobject:
            return None
        if value.nbytes < _MAPPED_FROM:
            return None
        if isinstance(value, np.memmap) and _is_whole_map(value):
            return "memmap", (value.filename, value.dtype, value.offset, value.shape, _order(value))
        return "array", self._save(value)


class _ArraysFromFiles(pickle.Unpickler):
    def persistent_load(self, pid: Any) -> Any:
        kind, where = pid
        if kind == "array":
            return np.load(where, mmap_mode="r")
        filename, dtype, offset, shape, order = where
        return np.memmap(filename, dtype, mode="r", offset=offset, shape=shape, order=order)


def _is_whole_map(array: np.memmap) -> bool:
    """Tell whether another process finds the same values in the file.

    Not so for a slice of a map, whose `offset` is that of the whole, for private pages, nor
    for a file that has been removed.
    """
    if isinstance(array.base, np.ndarray) or array.filename is None or array.mode == "c":
        return False
    if not os.path.exists(array.filename):
        return False
    return array.flags.c_contiguous or array.flags.f_contiguous


def _order(array: np.ndarray) -> str:
    return "C" if array.flags.c_contiguous else "F"


def _fastest_folder(n_bytes: int) -> str:
    """Return shared memory where there is plenty of it, else the folder for temporary files."""
    chosen = os.environ.get("JOBLIB_TEMP_FOLDER")
    if chosen:
        return chosen
    shared = "/dev/shm"
    if os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 2 * n_bytes:
        return shared
    return tempfile.gettempdir()
