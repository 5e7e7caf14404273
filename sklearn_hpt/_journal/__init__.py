"""Record every finished fold on disk, recall it when the search goes on, and read it."""

from sklearn_hpt._journal._describe import Described, describe, digest
from sklearn_hpt._journal._fingerprint import fingerprint
from sklearn_hpt._journal._journal import DiskJournal, Journal, NoJournal
from sklearn_hpt._journal._reading import JournalView, read_journal
from sklearn_hpt._journal._show import SUMMED, ended, precise, search_seconds, show, state

__all__ = [
    "SUMMED",
    "Described",
    "DiskJournal",
    "Journal",
    "JournalView",
    "NoJournal",
    "describe",
    "digest",
    "ended",
    "fingerprint",
    "precise",
    "read_journal",
    "search_seconds",
    "show",
    "state",
]
