"""Leave out the examples in docstrings that need what is not installed."""

from importlib.util import find_spec

EXAMPLES_WITH = {
    "sklearn_hpt/nets/_lr_range.py": ("torch", "skorch"),
    "sklearn_hpt/diagnostics/_analysis.py": ("pandas",),
    "sklearn_hpt/displays/_lr_range.py": ("matplotlib",),
    "sklearn_hpt/displays/_loss_curves.py": ("matplotlib",),
}
collect_ignore = [path for path, needed in EXAMPLES_WITH.items() if not all(map(find_spec, needed))]
