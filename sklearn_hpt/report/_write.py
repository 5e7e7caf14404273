"""Put what a report tells into its page."""

from __future__ import annotations

import html
import json
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

from sklearn_hpt.report._content import content_of_journal, content_of_search


def write_report(
    source: Any,
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    metric: str | None = None,
) -> Path:
    """Write one HTML page that tells what a search tried, what won, what failed and what mattered.

    The page needs no network. Its table is sorted by a click on a heading; the pictures can be
    zoomed and tell of each candidate under the pointer; candidates are shown or hidden by their
    status. It follows the light or dark setting of its reader, and prints.

    Parameters
    ----------
    source : fitted search, str or path-like
        A search of this library or of scikit-learn, or the path of a journal, also of a search
        that is running.
    path : str or path-like
        The file to write; one that exists is replaced.
    title : str, default=None
        Heading of the page; None is the name of the search.
    metric : str, default=None
        Of several metrics, which to show; None is the one that decides.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    NotFittedError
        If the search is not fitted.
    JournalError
        If the file is no journal, or has no finished fold.
    ValueError
        If there is no such metric.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sklearn_hpt import LogRandomSearchCV
    >>> from sklearn_hpt.report import write_report
    >>> X, y = load_iris(return_X_y=True)
    >>> search = LogRandomSearchCV(SVC(), "auto", n_iter=12, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = write_report(search, f"{folder}/report.html").read_text(encoding="utf-8")
    >>> "LogRandomSearchCV" in page
    True
    """
    is_path = isinstance(source, str | os.PathLike)
    content = (content_of_journal if is_path else content_of_search)(source, metric)
    heading = title or content["facts"][0][1]
    page = files("sklearn_hpt.report").joinpath("page.html").read_text(encoding="utf-8")
    data = json.dumps(content, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    text = page.replace("{{title}}", html.escape(heading)).replace("{{data}}", data)
    written = Path(path)
    written.write_text(text, encoding="utf-8")
    return written
