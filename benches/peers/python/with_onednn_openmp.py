"""oneDNN as in its last wheel for OpenMP, of 2023: without SYCL, and with other kernels for batch normalization, which are faster channels-last.

What is in the newest wheel as well is measured in both, and merged as one library: with the faster of its times.
"""

import os

os.environ["ONEDNN_WHEEL"] = "onednn-cpu-gomp"

from with_onednn import VERSION, contenders  # noqa: E402

__all__ = ["VERSION", "contenders"]
