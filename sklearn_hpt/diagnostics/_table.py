"""Tables as plain text."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> str:
    """Return rows of cells as lines with columns of equal width.

    Parameters
    ----------
    rows : sequence of sequence of str
        The cells, as many in each row.
    left : sequence of int, default=(0,)
        The columns that begin at the left; the others end at the right.

    Returns
    -------
    str
        Lines without white space at their ends.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def percent(share: float, digits: int = 1) -> str:
    """Return a fraction as text such as "12.5 %"."""
    return f"{100 * share:.{digits}f} %"
