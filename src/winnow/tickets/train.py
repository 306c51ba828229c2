"""The training of a level: from tickets as they begin to trained ones, and what they say of the images."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from torch import nn

from winnow.params.training import Training
from winnow.storage import load_table, save_table
from winnow.tickets.files import Ticket, load_ticket, save_ticket
from winnow.tickets.masks import share_left
from winnow.training.batches import DeviceImages
from winnow.training.evaluate import accuracy, log_probabilities, mean_loss
from winnow.training.loop import finish, history, start, train
from winnow.training.schedule import Schedule
from winnow.training.workers import Tick

Parts = Mapping[str, DeviceImages]  # what errors are measured on, by name: train, validation, test
RESULTS = ["seed", "split", "left", "error", "loss", "error_after_cut", "error_after_two_cuts"]


def train_level(
    seeds: Iterable[int],
    begun: Path,
    images: DeviceImages,
    parts: Parts,
    training: Training,
    plan: Schedule,
    step: int,
    folder: Path,
    tick: Tick,
    order: Callable[[int], int] = lambda seed: seed,
) -> None:
    """Train the tickets ``begun/seed<s>.safetensors`` from a step of the plan to its end, with a momentum that starts
    at zero and the pruned weights held there at every step, and keep in ``folder/seed<s>``:

    - ``ticket.safetensors``: the mask in packed bits, and the weights and batch-norm state after the last step
    - ``results.csv``: a row for each part: seed, split, left (share of all prunable weights), error (0 to 1), loss
      (nats), error_after_cut, error_after_two_cuts (both nan where nothing was cut)
    - ``history.csv``: one row per epoch (a pass over the images) from the rewind point's on

    order: from a replicate's seed to that of the order of its data and of the augmentation.

    Interrupted, the same call goes on from the last finished epoch, and ends in the same bytes.
    """
    tickets = {seed: load_ticket(begun / f"seed{seed}.safetensors") for seed in seeds}
    folders = {seed: folder / f"seed{seed}" for seed in tickets}
    runs = [
        start(
            order(seed),
            tickets[seed].network,
            training,
            images.device,
            path,
            mask=tickets[seed].mask,
            step=step,
            epoch=step // plan.epoch,
        )
        for seed, path in folders.items()
        if not path.exists()
    ]
    for _ in train(runs, images, training, plan, tick):
        pass
    seed_of = {order(seed): seed for seed in tickets}
    for run in runs:
        seed = seed_of[run.seed]
        begin = tickets[seed]
        save_ticket(run.working / "ticket.safetensors", run.network.state_dict(), begin.mask, begin.about)
        save_table(run.working / "results.csv", _results(seed, begin, evaluate(run.network, parts)))
        save_table(run.working / "history.csv", history(run).assign(seed=seed))
        finish(run)


def evaluate(network: nn.Module, parts: Parts) -> dict[str, tuple[float, float]]:
    """Error (1 - accuracy, 0 to 1) and mean loss (nats) on each part, in evaluation mode."""
    found = {}
    for name, part in parts.items():
        outputs, labels = log_probabilities(network, part), part.labels.cpu().numpy()
        found[name] = 1 - accuracy(outputs, labels), mean_loss(outputs, labels)
    return found


def load_results(folder: Path, seeds: Iterable[int]) -> pd.DataFrame:
    """The results of a level's replicates, from what ``train_level`` kept, as one table; empty without any."""
    tables = [load_table(folder / f"seed{seed}" / "results.csv") for seed in seeds]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=RESULTS)


def _results(seed: int, begin: Ticket, measured: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    once, twice = begin.about.get("after_cuts") or [dict[str, float]()] * 2
    rows = [
        (seed, split, share_left(begin.mask), error, loss, once.get(split, np.nan), twice.get(split, np.nan))
        for split, (error, loss) in measured.items()
    ]
    return pd.DataFrame(rows, columns=RESULTS)
