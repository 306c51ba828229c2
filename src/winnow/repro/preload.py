"""Imports what most stages need, once for all of them. No thread may start here: stages are forks of this process."""

import gc
import signal

before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # make repro handles Ctrl-C, and ends this process

import pandas  # noqa: E402, F401
import pyarrow.parquet  # noqa: E402, F401
import safetensors.numpy  # noqa: E402, F401
import torch  # noqa: E402, F401

import winnow.experiment  # noqa: E402
import winnow.tickets.train  # noqa: E402, F401

signal.signal(signal.SIGINT, before)  # stages handle it as usual
gc.freeze()  # else the first collection in every stage writes to all these objects, which copies their memory
