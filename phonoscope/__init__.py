"""Phonoscope: what do speech models know, layer by layer?"""

import os

# OpenBLAS's idle threads spin for 20 ms waiting for work and steal the cores from all that is not a
# matrix product: E1–E5 of a layer take half as long again. Must be set before NumPy is loaded.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "16")
