"""Warnings that point to the line of the user's code."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import sklearn

_NOT_THE_USERS = tuple(Path(path).parent for path in (__file__, str(sklearn.__file__)))


def warn(message: str, category: type[Warning]) -> None:
    """Warn of something, as the nearest caller outside this library and scikit-learn.

    Parameters
    ----------
    message : str
        What to say.
    category : type of Warning
        What kind of warning it is.
    """
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and _is_not_the_users(frame.f_code.co_filename):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _is_not_the_users(filename: str) -> bool:
    return any(Path(filename).is_relative_to(folder) for folder in _NOT_THE_USERS)
