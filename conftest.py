"""Leave out the examples in docstrings that need what is not installed."""

from importlib.util import find_spec
from pathlib import Path

EXAMPLES_WITH = {
    "sklearn_hpt/nets/_lr_range.py": ("torch", "skorch"),
    "sklearn_hpt/diagnostics/_analysis.py": ("pandas",),
    **{
        f"sklearn_hpt/displays/{path.name}": ("matplotlib",)
        for path in Path(__file__).parent.glob("sklearn_hpt/displays/_*.py")
        if path.name not in ("__init__.py", "_candidate_table.py")
    },
}
collect_ignore = [path for path, needed in EXAMPLES_WITH.items() if not all(map(find_spec, needed))]
