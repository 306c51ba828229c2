"""What most stages import, loaded once for all of them. No thread may start here: stages are forks of this process."""

import pandas  # noqa: F401
import pyarrow.parquet  # noqa: F401
import safetensors.numpy  # noqa: F401
import torch  # noqa: F401

import winnow.experiment
import winnow.tickets.train  # noqa: F401
