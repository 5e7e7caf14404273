"""Errors and warnings of the library; each message says what to do next."""

__all__ = [
    "AllCandidatesFailedError",
    "CandidateTimeoutError",
    "JournalCorruptError",
    "JournalError",
    "JournalLockedError",
    "JournalMismatchError",
    "SearchStoppedWarning",
    "SearchTimeoutError",
    "SmallDevSetWarning",
    "SpaceError",
    "SpaceExhaustedWarning",
    "TrackerWarning",
    "TrainSplitWarning",
    "WarmStartWarning",
    "WorkerDiedError",
]


class SpaceError(ValueError):
    """A search space that cannot be searched."""


class AllCandidatesFailedError(ValueError):
    """No candidate has a score, so there is none to choose."""


class _AllCandidatesFailedTypeError(AllCandidatesFailedError, TypeError):
    """The same when each failure is a TypeError, which scikit-learn promises for wrong types."""


class WorkerDiedError(RuntimeError):
    """The process that evaluated a candidate died: killed, crashed or out of memory."""


class CandidateTimeoutError(TimeoutError):
    """A candidate took longer than `candidate_timeout`."""


class SearchTimeoutError(TimeoutError):
    """The time of the search was over before any candidate was complete."""


class JournalError(RuntimeError):
    """A journal that cannot be read, written or continued."""


class JournalCorruptError(JournalError):
    """A journal with a damaged line that is not its last one."""


class JournalLockedError(JournalError):
    """A journal that another search is writing."""


class JournalMismatchError(JournalError):
    """A journal of another search than the one that is to continue it."""


class SmallDevSetWarning(UserWarning):
    """A dev set has too few rows for what it is to tell."""


class SpaceExhaustedWarning(UserWarning):
    """Every point of the search space is evaluated before the budget is spent."""


class SearchStoppedWarning(UserWarning):
    """The search ended before its budget was spent."""


class TrackerWarning(UserWarning):
    """A tracker cannot write; the search goes on without it."""


class TrainSplitWarning(UserWarning):
    """A skorch net keeps a part of each training fold for itself."""


class TrainerWarning(UserWarning):
    """Nets that were to be trained together are trained one by one."""


class WarmStartWarning(UserWarning):
    """Some earlier results cannot be used by a search."""


class LRRangeWarning(UserWarning):
    """A range test has found no learning rate to suggest."""
