"""Tests run without the colour of the machine: one thread for BLAS, no user caches."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # `estimators` of this folder, also in workers
