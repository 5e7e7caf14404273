"""One page that tells a colleague what a search did; needs no network and no library to be read."""

from sklearn_hpt.report._write import write_report

__all__ = ["write_report"]
