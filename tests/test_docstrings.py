"""Public docstrings follow numpydoc."""

import importlib
import inspect

import pytest

import sklearn_hpt
from sklearn_hpt import diagnostics, displays, exceptions, racing, report, samplers, space, tracking

numpydoc_validate = pytest.importorskip("numpydoc.validate")

# what need not be there: an extended summary, an example or a "See Also" for each method,
# text on the line of the quotes, a section for what one sentence says
NOT_REQUIRED = {"ES01", "EX01", "SA01", "GL01", "RT03", "RT01", "PR01", "YD01", "GL08", "SS05"}
PUBLIC = sorted(
    {
        f"{module.__name__}.{name}"
        for module in (
            sklearn_hpt,
            space,
            samplers,
            exceptions,
            racing,
            diagnostics,
            displays,
            report,
            tracking,
        )
        for name in module.__all__
        if inspect.isclass(getattr(module, name))
    }
)


def public_parts():
    for path in PUBLIC:
        module, _, name = path.rpartition(".")
        cls = getattr(importlib.import_module(module), name)
        is_protocol = getattr(cls, "_is_protocol", False)
        yield path, set() if is_protocol else {"PR01"}  # constructor parameters are documented
        for method, value in vars(cls).items():
            if not method.startswith("_") and callable(value):
                yield f"{path}.{method}", set()


@pytest.mark.parametrize(("path", "also"), public_parts())
def test_docstring_is_valid(path, also):
    errors = numpydoc_validate.validate(path)["errors"]
    required = [e for e in errors if e[0] not in NOT_REQUIRED - also]
    assert not required
