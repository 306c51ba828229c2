"""The device and the number of processes, set by the environment, not the params: the cache must not depend on them."""

import os
import re
from collections.abc import Sequence

import torch

from winnow import cores
from winnow.errors import UserError
from winnow.params.training import Training

DEVICE = "WINNOW_DEVICE"


def device_names() -> list[str]:
    """Those of ``WINNOW_DEVICE``, such as cpu, or cuda:0,cuda:1; none if it is not set.

    Raises UserError if it names several that are neither CUDA devices by their numbers nor all the CPU.
    """
    text = os.environ.get(DEVICE)
    names = text.split(",") if text else []
    if len(names) > 1 and set(names) != {"cpu"} and not all(re.fullmatch(r"cuda:\d+", name) for name in names):
        raise UserError(f"{DEVICE}={text}: several devices must be of CUDA, such as cuda:0,cuda:1, or cpu,cpu")
    return names


def chosen_device() -> torch.device:
    """The first of ``device_names``, else the first CUDA device, else the CPU.

    Work in float32 has full float32 precision there: by default, cuDNN rounds the inputs of its convolutions to ten
    bits (TF32), which would give a gradient's norm an error of 1e-3.

    Raises UserError if this machine lacks it.
    """
    names = device_names()
    name = names[0] if names else "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{DEVICE}={name}: no such device here ({reason}); unset it, or use cpu") from None
    found = torch.device(name)
    if found.type == "cuda":
        torch.cuda.set_device(found)  # for the streams and graphs of training
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    return found


def workers(device: torch.device) -> int:
    """How many processes train in parallel: on a CPU ``WINNOW_WORKERS``, by default one for every core that this
    process may use; on any other device one.

    Raises UserError if WINNOW_WORKERS is not a whole number above 0.
    """
    if device.type != "cpu":
        return 1
    text = os.environ.get("WINNOW_WORKERS")
    if text is None:
        return cores.available()
    if not text.isdecimal() or int(text) == 0:
        raise UserError(f"WINNOW_WORKERS={text}: must be a whole number above 0")
    return int(text)


def precision(training: Training, device: torch.device) -> torch.autocast:
    """A context in which networks compute forward in the precision of their training."""
    low = training.precision == "bfloat16" or (training.precision == "auto" and device.type == "cuda")
    return torch.autocast(device.type, torch.bfloat16, enabled=low)


def together(seeds: Sequence[int], device: torch.device) -> list[list[int]]:
    """A stage's seeds in groups that one process trains in step: all together on a CUDA device, else each alone."""
    return [list(seeds)] if device.type == "cuda" else [[seed] for seed in seeds]
