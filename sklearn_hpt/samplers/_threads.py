"""Linear algebra that gives the same digits wherever it runs."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def one_blas_thread() -> AbstractContextManager[Any]:
    """Return a context in which BLAS has one thread.

    With several, sums come in another order, and a proposal differs in the last digits: so would a
    search with the number of its workers. For matrices as small as these one is also faster.
    """
    return _controller().limit(limits=1, user_api="blas")
