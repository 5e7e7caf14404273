"""How times, values and long texts are worded for people."""

from __future__ import annotations

from typing import Any

_LONGEST_TEXT = 100


def shortened(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Return a text as one line, cut if it is longer than that."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 3] + "..."


def value_text(value: Any) -> str:
    """Return a value of a hyperparameter, floats with six digits."""
    return f"{value:.6g}" if isinstance(value, float) else shortened(str(value))


def duration(seconds: float) -> str:
    """Return a time as seconds, minutes or hours with what is left of them."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"
