import platform
import subprocess
import sys

import pytest

STEPS = """
import resource
import numpy as np
from winnow.training.memory import keep_freed_memory
keep_freed_memory()
for _ in range(20):  # the heap takes some steps to find its size
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(2**23, np.float32)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such setting")
def test_a_step_gets_the_memory_that_the_last_one_freed():
    """32 MiB, which glibc would map anew every time, and the system would hand out page by page."""
    printed = subprocess.run([sys.executable, "-c", STEPS], check=True, capture_output=True, text=True).stdout
    faults = list(map(int, printed.split()))
    assert faults[0] >= 16  # pages, of 2 MiB at most
    assert max(faults[-5:]) < 16
