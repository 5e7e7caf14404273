"""A search in TensorBoard: a session of its HParams page for each candidate.

The files are written with `tensorboard` alone. `tensorboard.plugins.hparams.api` and torch's
`SummaryWriter` would do it too, but load TensorFlow or torch.
"""

from __future__ import annotations

import math
import os
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sklearn_hpt._summary import summarize
from sklearn_hpt.tracking._records import Record, plain
from sklearn_hpt.tracking._tracker import Log, Tracker, found

_STATUS = {"complete": "STATUS_SUCCESS", "stopped": "STATUS_UNKNOWN"}


class TensorBoardTracker(Tracker):
    """Writes a search for the HParams page of TensorBoard, with a session for each candidate.

    It is set with `set_callbacks`, on any search of this library or scikit-learn. Each call of
    `fit` has a folder of its own. While it runs, the number of evaluations is written there, and
    each candidate as soon as it is finished, with parameters, mean and standard deviation of the
    scores, the scores of the folds, status, error and time; by a search of scikit-learn when it
    ends. A candidate that goes on with more of a resource, or is changed while it is trained, is
    written anew, into another folder until the search ends.

    Parameters
    ----------
    log_dir : str or path-like, default="runs"
        The folder that ``tensorboard --logdir`` is given. Searches that are to be compared
        share it.

    Notes
    -----
    A tracker that fails says so once, in a `TrackerWarning`, and the search goes on without it.

    Examples
    --------
    >>> from sklearn_hpt.tracking import TensorBoardTracker
    >>> search.set_callbacks(TensorBoardTracker("runs")).fit(X, y)  # doctest: +SKIP
    """

    _module = "tensorboard"
    _extra = "tensorboard"

    def __init__(self, log_dir: str | os.PathLike[str] = "runs") -> None:
        super().__init__()
        self.log_dir = log_dir

    def _open(self, about: Mapping[str, Any]) -> Log:
        log = _TensorBoardLog(_new_folder(Path(self.log_dir), about["search"]))
        log.write_about(about)
        return log


def _new_folder(parent: Path, name: str) -> Path:
    """Make a folder named after the search and the time, with a number if there is one."""
    stem = f"{name} {time.strftime('%Y-%m-%d %H-%M-%S')}"
    parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = parent / (stem if number == 1 else f"{stem} ({number})")
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


class _TensorBoardLog:
    """The folder of one search, with one inside it for each candidate."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._events = _Events(folder)
        self._n_withdrawn: Counter[int] = Counter()

    def write_about(self, about: Mapping[str, Any]) -> None:
        """Write what is searched as a table of text."""
        rows = [f"| {name} | `{_in_cell(text)}` |" for name, text in about.items()]
        self._events.text("search", "\n".join(["| parameter | value |", "| --- | --- |", *rows]))

    def progress(self, n_evaluations: int) -> None:
        self._events.scalar("evaluations", n_evaluations, step=n_evaluations)
        self._events.flush()

    def candidate(self, record: Record) -> None:
        with closing(_Events(self._folder_of(record.number))) as events:
            _write_candidate(events, record)

    def withdraw(self, number: int) -> None:
        shutil.rmtree(self._folder_of(number))
        self._n_withdrawn[number] += 1

    def _folder_of(self, number: int) -> Path:
        """Return another folder each time: of one, TensorBoard keeps the first hyperparameters."""
        n_before = self._n_withdrawn[number]
        return self._folder / (f"candidate {number}" + (f" ({n_before + 1})" if n_before else ""))

    def results(self, search: Any, records: Sequence[Record]) -> None:
        for number in self._n_withdrawn:
            if (folder := self._folder_of(number)).exists():
                folder.rename(self._folder / f"candidate {number}")
        self._events.text("result", summarize(search).as_markdown())
        for name, value in found(search).items():
            self._events.scalar(name, value)

    def close(self, *, finished: bool) -> None:
        self._events.close()


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("`", "'")


def _write_candidate(events: _Events, record: Record) -> None:
    seconds = record.seconds if math.isfinite(record.seconds) else 0.0
    end = time.time()
    events.session_start(record.params, f"candidate {record.number}", end - seconds)
    for of, values in (("mean", record.means), ("std", record.stds)):
        for metric, value in values.items():
            events.scalar(f"{of}_test_{metric}", value)
    for metric, scores in record.fold_scores.items():
        for fold, score in enumerate(scores):
            events.scalar(f"folds/{metric}", score, step=fold)
    events.scalar("seconds", record.seconds)
    if record.error:
        events.text("error", record.error)
    events.session_end(_STATUS.get(record.status, "STATUS_FAILURE"), end)


class _Events:
    """An event file, in the words of TensorBoard's own protocol buffers."""

    def __init__(self, folder: Path) -> None:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._writer = EventFileWriter(str(folder))

    def scalar(self, tag: str, value: float, step: int = 0) -> None:
        """Write a number, unless it is NaN or infinite."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        if math.isfinite(value):
            self._write(Summary(value=[Summary.Value(tag=tag, simple_value=value)]), step)

    def text(self, tag: str, text: str) -> None:
        """Write a text in Markdown."""
        from tensorboard.plugins.text.summary_v2 import text_pb

        self._write(text_pb(tag, text))

    def session_start(self, params: Mapping[str, Any], name: str, at: float) -> None:
        """Write the hyperparameters of a candidate that began at that time."""
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb

        shown = {name: _shown(value) for name, value in params.items()}
        self._write(
            hparams_pb(shown, trial_id=f"{self._writer.get_logdir()}/{name}", start_time_secs=at)
        )

    def session_end(self, status: str, at: float) -> None:
        """Write how a candidate has ended."""
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

        data = plugin_data_pb2.HParamsPluginData(
            session_end_info=plugin_data_pb2.SessionEndInfo(
                status=api_pb2.Status.Value(status), end_time_secs=at
            )
        )
        value = Summary.Value(
            tag=metadata.SESSION_END_INFO_TAG,
            metadata=metadata.create_summary_metadata(data),
            tensor=metadata.NULL_TENSOR,
        )
        self._write(Summary(value=[value]))

    def flush(self) -> None:
        """Write to the disk."""
        self._writer.flush()

    def close(self) -> None:
        """Write to the disk and close the file."""
        self._writer.close()

    def _write(self, summary: Any, step: int = 0) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))


def _shown(value: Any) -> Any:
    """Return a value as TensorBoard takes it: a number, a truth value or text."""
    value = plain(value)
    if isinstance(value, (bool, str)):
        return value
    is_number = isinstance(value, (int, float)) and math.isfinite(value)
    return float(value) if is_number else str(value)
