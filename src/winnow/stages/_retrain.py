"""How the stages that train subsets do so: fresh networks, side by side, measured on the held-out splits."""

from typing import Any

import torch

from winnow.params.training import Network, Training
from winnow.stages._images import held_out
from winnow.stages._stage import finish, name, naming, scratch
from winnow.storage import save_table
from winnow.training.batches import DeviceImages
from winnow.training.fit import Task, fit_side_by_side, fresh
from winnow.training.retrain import keep_outputs, results
from winnow.training.schedule import make_schedule


def retrain_on(
    images: DeviceImages,
    facts: dict[str, Any],
    device: torch.device,
    seeds: list[int],
    network: Network,
    training: Training,
    budget: str,
    item: str,
) -> None:
    """Train networks on these images, of the item METHOD-KEEP, METHOD-KEEP-RECIPE or full, into its folder below
    data/retrain. budget: steps or epochs (retrain.budget)."""
    splits = held_out(facts, device)
    full_epoch = facts["images"]["train"] if budget == "steps" else None
    with naming(f"retrain@{item}: retrain.training."):
        schedule = make_schedule(training, len(images), full_epoch)
    folder = scratch()
    begin = naming("retrain.network.")(fresh(network, images, len(facts["class_names"])))
    task = Task(images, training, schedule, begin)
    fit_side_by_side({folder: task}, seeds, name(), on_end=keep_outputs(splits))
    table = results(folder, seeds, {part: split.labels.cpu().numpy() for part, split in splits.items()})
    visits = schedule.total * training.batch_size
    save_table(folder / "results.csv", table.assign(images=len(images), steps=schedule.total, visits=visits))
    finish(folder, f"data/retrain/{item}")
