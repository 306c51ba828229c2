"""Where the work runs. Taken from the environment, never from the params: it must not change what the cache holds."""

import os
from collections.abc import Sequence

import torch

from winnow.errors import UserError


def chosen_device() -> torch.device:
    """``WINNOW_DEVICE`` (such as cpu or cuda:1), else the first CUDA device, else the CPU.

    What is computed in float32 there has the digits of float32: of itself cuDNN rounds the inputs of its convolutions
    to ten bits (TF32), with which a gradient's norm would have an error of 1e-3.

    Raises UserError if WINNOW_DEVICE names none that this machine has.
    """
    name = os.environ.get("WINNOW_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"WINNOW_DEVICE={name}: no such device here ({reason}); unset it, or use cpu") from None
    found = torch.device(name)
    if found.type == "cuda":
        torch.cuda.set_device(found)  # on which the streams and graphs of training are made
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    return found


def workers(device: torch.device) -> int:
    """How many processes train side by side: on a CPU ``WINNOW_WORKERS``, else one for every core this process may use;
    on any other device one.

    Raises UserError if WINNOW_WORKERS is not a whole number above 0.
    """
    if device.type != "cpu":
        return 1
    text = os.environ.get("WINNOW_WORKERS")
    if text is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdecimal() or int(text) == 0:
        raise UserError(f"WINNOW_WORKERS={text}: must be a whole number above 0")
    return int(text)


def together(seeds: Sequence[int], device: torch.device) -> list[list[int]]:
    """The seeds of a stage in groups that one process trains in step: on a CUDA device all, else each for itself."""
    return [list(seeds)] if device.type == "cuda" else [[seed] for seed in seeds]
