"""How fast networks without their pruned channels are, beside the dense ones.

Runs in the folder of a finished project, python -m winnow.comparison.pruning.latency FILE LEVEL…, and writes a csv. No
stage measures times, because an output of a stage must be the same whenever it is computed. Nor are times kept for a
later call: those of one table must be of one machine, and all of them take seconds.
"""

import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import save
from torch import nn

from winnow import load_ticket, smaller
from winnow.params.dense import NAME as DENSE
from winnow.storage import save_table

TURNS, BATCH = 15, 128
TICKETS = Path("data/tickets")


def latencies(levels: Sequence[str]) -> pd.DataFrame:
    """One row per level, of its first seed: level, batch (of images), milliseconds (the median processor time of one
    thread for the batch), dense_milliseconds (the same of the dense network, by turns), bytes and dense_bytes (of the
    weights as safetensors)."""
    torch.set_num_threads(1)
    rows = []
    for level in levels:
        ticket, dense = (load_ticket(min((TICKETS / name).glob("seed*/ticket.safetensors"))) for name in (level, DENSE))
        images = torch.randn(BATCH, *ticket.about["shape"], generator=torch.Generator().manual_seed(0))
        networks = [smaller(ticket.network.eval(), ticket.mask, images[:2]), dense.network.eval()]
        small, whole = _by_turns(networks, images)
        sizes = [len(save(network.state_dict())) for network in networks]
        rows.append((level, BATCH, small, whole, *sizes))
    return pd.DataFrame(rows, columns=["level", "batch", "milliseconds", "dense_milliseconds", "bytes", "dense_bytes"])


@torch.inference_mode()
def _by_turns(networks: Sequence[nn.Module], images: torch.Tensor) -> list[float]:
    seconds: list[list[float]] = [[] for _ in networks]
    for turn in range(TURNS + 1):
        for network, own in zip(networks, seconds, strict=True):
            start = time.process_time()
            network(images)
            if turn:  # the first warms up
                own.append(time.process_time() - start)
    return [1000 * statistics.median(own) for own in seconds]


if __name__ == "__main__":
    save_table(sys.argv[1], latencies(sys.argv[2:]))
