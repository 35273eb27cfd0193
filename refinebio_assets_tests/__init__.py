"""Tests, by room.

BLAS has one thread here, set before NumPy is loaded: threads that wait for each other on small matrices took
ten times the processor time of one (measured on ``test_iterative_svd.py``, two cores).
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
