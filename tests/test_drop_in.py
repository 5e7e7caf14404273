"""scikit-learn's own tests of RandomizedSearchCV pass with LogRandomSearchCV in its place."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import sklearn.model_selection

TESTS = Path(sklearn.model_selection.__file__).parent / "tests" / "test_search.py"


@pytest.mark.slow
def test_scikit_learn_tests_of_random_search_pass(tmp_path):
    arguments = ["-m", "pytest", str(TESTS), "-p", "drop_in_plugin", "-p", "no:cacheprovider", "-q"]
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, *arguments, "-c", os.devnull, "--rootdir", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed and int(passed[1]) > 130, done.stdout[-500:]
