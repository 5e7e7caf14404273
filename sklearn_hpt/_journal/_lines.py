"""The format of a journal: one JSON object a line, each with a checksum.

The checksum of a line is the CRC-32 of all bytes of the file before it, so a line that is
changed, lost, or put elsewhere is noticed. Only the last line may be wrong: the process that
wrote it was killed.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sklearn_hpt.exceptions import JournalCorruptError, JournalError

FORMAT = 1

Event = dict[str, Any]

_START = b'{"kind":"header","format":'
_CHECKSUM = b',"crc":"'
_CHECKSUM_BYTES = len(_CHECKSUM) + 8 + len(b'"}')


def encode(event: Event, crc: int) -> tuple[bytes, int]:
    """Return the line of an event and the checksum to pass on to the next line.

    Parameters
    ----------
    event : dict
        A JSON object with `kind` first.
    crc : int
        Checksum of the lines before, 0 for the first.
    """
    body = json.dumps(event, separators=(",", ":"), allow_nan=False).encode()[:-1]
    crc = zlib.crc32(body, crc)
    return body + _CHECKSUM + f'{crc:08x}"}}\n'.encode(), crc


def _decode(line: bytes, crc: int) -> tuple[Event, int] | None:
    """Return the event of a line without its end, and the next checksum; None if it is wrong."""
    body, checksum = line[:-_CHECKSUM_BYTES], line[-_CHECKSUM_BYTES:]
    crc = zlib.crc32(body, crc)
    if checksum != _CHECKSUM + f'{crc:08x}"}}'.encode():
        return None
    try:
        return json.loads(body + b"}"), crc
    except ValueError:
        return None


@dataclass
class Reader:
    """Reads a journal as far as it is written; go on with the same reader when it has grown.

    Attributes
    ----------
    path : str
        For messages.
    n_bytes : int
        Length of the part that is read and right.
    n_lines : int
        Number of lines in it.
    crc : int
        Checksum of it.
    """

    path: str
    n_bytes: int = 0
    n_lines: int = 0
    crc: int = 0

    def events(self, data: bytes) -> Iterator[Event]:
        """Yield the events of what follows the part already read.

        Raises
        ------
        JournalCorruptError
            If a line is wrong that is not the last one.
        JournalError
            If the file is no journal, or a newer version wrote it.
        """
        if self.n_bytes == 0:
            self._check_start(data)
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            decoded = _decode(data[start:end], self.crc)
            if decoded is None:
                if data.find(b"\n", end + 1) < 0 and end + 1 == len(data):
                    return  # the last line
                raise self._corrupt(data[start:end])
            event, self.crc = decoded
            self.n_bytes += end + 1 - start
            self.n_lines += 1
            start = end + 1
            yield event

    def _check_start(self, data: bytes) -> None:
        if data and not data.startswith(_START):
            raise JournalError(
                f"journal={self.path!r} is not a journal of a search, or its line 1 is damaged; "
                "it is left as it is. Give another path."
            )
        written_by = data[len(_START) : len(_START) + 20].partition(b",")[0]
        if written_by.isdigit() and int(written_by) > FORMAT:
            raise JournalError(
                f"Line 1 of journal={self.path!r} has format {int(written_by)}, but this version "
                f"of sklearn_hpt reads formats up to {FORMAT}; upgrade sklearn_hpt to read it."
            )

    def _corrupt(self, line: bytes) -> JournalCorruptError:
        shown = line[:60].decode(errors="replace")
        return JournalCorruptError(
            f"Line {self.n_lines + 1} of journal={self.path!r} is damaged ({shown!r}...). The "
            f"{self.n_lines} lines before it are sound: to go on from there, copy those to a new "
            f"file (head -n {self.n_lines}) and give its path."
        )
