"""One level of pruning: from the parent's ticket and a rewind point to a mask, and to networks trained under it."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from winnow.landscape.batch_norm import reestimate
from winnow.networks import initialise
from winnow.params.imp import Level
from winnow.params.training import Network, Training
from winnow.storage import load_table, load_tensor_provenance, load_tensors, save_table, save_tensors
from winnow.tickets.cut import cut_smallest
from winnow.tickets.files import Ticket, load_ticket, save_ticket
from winnow.tickets.masks import Mask, apply, count_left, ones, share_left
from winnow.tickets.variants import VARIANTS, Parent, State
from winnow.training.batches import DeviceImages
from winnow.training.checkpoint import load_network
from winnow.training.evaluate import accuracy, log_probabilities, mean_loss
from winnow.training.loop import finish, history, start, train
from winnow.training.schedule import Schedule
from winnow.training.workers import Tick

Parts = Mapping[str, DeviceImages]  # what errors are measured on, by name: train, validation, test
RESULTS = ["seed", "split", "left", "error", "loss", "error_after_cut", "error_after_two_cuts"]


def reach_rewind_points(
    seeds: Iterable[int],
    images: DeviceImages,
    classes: int,
    network: Network,
    training: Training,
    plan: Schedule,
    folder: Path,
    tick: Tick,
) -> None:
    """Train fresh networks to the end of the plan and keep ``folder/seed<s>/network.safetensors``: weights and
    batch-norm state, with the number of steps as its provenance.

    Interrupted, the same call goes on from the last finished epoch, and ends in the same bytes.
    """
    folders = {seed: folder / f"seed{seed}" for seed in seeds}
    runs = [
        start(seed, initialise(network, classes, images.shape, seed), training, images.device, path)
        for seed, path in folders.items()
        if not path.exists()
    ]
    for _ in train(runs, images, training, plan, tick):
        pass
    for run in runs:
        state = {f"network.{name}": tensor for name, tensor in run.network.state_dict().items()}
        save_tensors(run.working / "network.safetensors", state, {"steps": plan.total})
        finish(run)


def begin_dense(rewind: Path, network: Network, classes: int, images: DeviceImages, path: Path) -> None:
    """Write what level 0 begins with, as a ticket: all weights, as they are at the rewind point."""
    module = initialise(network, classes, images.shape, seed=0)
    load_network(module, load_tensors(rewind))
    about = {"network": network.model_dump(), "classes": classes, "shape": list(images.shape)}
    save_ticket(path, module.state_dict(), ones(module), about)


def begin_level(
    level: Level,
    floor: int,
    seed: int,
    parent: Path,
    rewind: Path,
    parts: Parts,
    path: Path,
) -> None:
    """Cut the parent's ticket and write what the level's training begins with, as a ticket: the mask, and the weights
    before the first step. Its ``about`` has ``after_cuts``: the errors, by part, of the parent's trained weights right
    after the cut, and after cutting the same share once more; [] if nothing was cut.

    parent: the file of a ticket; rewind: a file of ``reach_rewind_points``. On the part ``train`` the adaptive cut
    measures its error, and batch norm's statistics are estimated again after a cut.
    """
    ticket, rule = load_ticket(parent), VARIANTS[level.variant]
    about = {key: ticket.about[key] for key in ("network", "classes", "shape")}
    state = {name: tensor.clone() for name, tensor in ticket.state_dict().items()}  # the module changes below
    train_part, shape = parts["train"], ticket.about["shape"]
    module = ticket.network.to(train_part.device)

    def fresh(seed: int) -> State:
        of_seed = initialise(Network(**about["network"]), about["classes"], shape, seed, "fresh_initialisation")
        return of_seed.state_dict()

    def errors(mask: Mask, on: Parts) -> dict[str, float]:
        """Of the parent's trained weights under a mask."""
        module.load_state_dict(apply(state, mask))
        reestimate(module, train_part)
        return {name: error for name, (error, _) in evaluate(module, on).items()}

    given = Parent(
        state=state,
        mask=ticket.mask,
        rewound=load_rewind_point(rewind),
        initial=fresh,
        error_of=lambda mask: errors(mask, {"train": train_part})["train"],
        seed=seed,
    )
    mask = rule.mask(given, level, floor)
    after_cuts = []
    if count_left(mask) < count_left(ticket.mask):
        share = 1 - count_left(mask) / count_left(ticket.mask)
        after_cuts = [errors(mask, parts), errors(cut_smallest(state, mask, share, floor), parts)]
    save_ticket(path, rule.weights(given), mask, about | {"after_cuts": after_cuts})


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
    end: int | None = None,
    order: Callable[[int], int] = lambda seed: seed,
) -> None:
    """Train the tickets ``begun/seed<s>.safetensors`` from a step of the plan to its end, with a momentum that starts
    at zero and the pruned weights held there at every step, and keep in ``folder/seed<s>``:

    - ``ticket.safetensors``: the mask in packed bits, and the weights and batch-norm state after the last step
    - ``results.csv``: a row for each part: seed, split, left (share of all prunable weights), error (0 to 1), loss
      (nats), error_after_cut, error_after_two_cuts (both nan where nothing was cut)
    - ``history.csv``: one row per epoch (a pass over the images)

    order: from a replicate's seed to that of the order of its data and of the augmentation.

    Interrupted, the same call goes on from the last finished epoch, and ends in the same bytes. With ``end`` it leaves
    off after that epoch, for another call to go on from there.
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
    for _ in train(runs, images, training, plan if end is None else plan.until(end), tick):
        pass
    seed_of = {order(seed): seed for seed in tickets}
    for run in runs:
        if run.step < plan.total:
            continue
        seed = seed_of[run.seed]
        begin = tickets[seed]
        save_ticket(run.working / "ticket.safetensors", run.network.state_dict(), begin.mask, begin.about)
        save_table(run.working / "results.csv", _results(seed, begin, evaluate(run.network, parts)))
        save_table(run.working / "history.csv", history(run))
        finish(run)


def evaluate(network: nn.Module, parts: Parts) -> dict[str, tuple[float, float]]:
    """Error (1 - accuracy, 0 to 1) and mean loss (nats) on each part, in evaluation mode."""
    found = {}
    for name, part in parts.items():
        outputs, labels = log_probabilities(network, part), part.labels.cpu().numpy()
        found[name] = 1 - accuracy(outputs, labels), mean_loss(outputs, labels)
    return found


def load_rewind_point(rewind: Path) -> State:
    """The state dict that ``reach_rewind_points`` kept."""
    prefix = "network."
    return {name.removeprefix(prefix): torch.from_numpy(tensor) for name, tensor in load_tensors(rewind).items()}


def rewind_step(rewind: Path) -> int:
    """After how many steps a rewind point was taken: tau."""
    return int(load_tensor_provenance(rewind)["steps"])


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
