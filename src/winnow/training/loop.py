"""The training loop: SGD over epochs of batches, able to go on from its last epoch."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from winnow.params.training import Training
from winnow.storage import load_tensors, save_tensors
from winnow.training.batches import DeviceImages, training_batches
from winnow.training.checkpoint import load_network
from winnow.training.schedule import Schedule

SECONDS_BETWEEN_SAVES = 1.0  # an epoch of a small subset takes milliseconds
NOT_VISITED = 2  # in a record of correctness: this epoch dropped the image with the incomplete last batch


@dataclass
class Run:
    """A network on its way: what a restart needs, and what the run has recorded, one array per epoch and name."""

    network: nn.Module
    optimizer: torch.optim.SGD
    epoch: int = 0  # finished
    step: int = 0  # finished
    seconds: float = 0.0  # spent so far, by the wall clock; what the caller does with the epochs included
    records: dict[str, list[np.ndarray]] = field(default_factory=dict)
    correct: np.ndarray | None = None  # of the last epoch: uint8 [n of images], 1 right, 0 wrong, or NOT_VISITED

    def record(self, name: str, value: np.ndarray) -> None:
        self.records.setdefault(name, []).append(value)


def start(network: nn.Module, training: Training, device: torch.device) -> Run:
    """A run at step 0 of the given network, on the device."""
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=training.learning_rate,
        momentum=training.momentum,
        nesterov=training.nesterov,
        weight_decay=training.weight_decay,
        fused=True,
    )
    return Run(network, optimizer)


def train_epoch(run: Run, images: DeviceImages, training: Training, schedule: Schedule, seed: int) -> None:
    """One epoch, or what is left of the schedule's total.

    Sets ``run.correct`` (whether each image was classified right when it was visited, in training mode and augmented,
    as the forgetting score wants it) and records ``training`` (float64 [3]: learning rate of the last step, mean loss
    and accuracy over the visits).
    """
    run.network.train()
    losses, hits, visits = [], [], []
    for visited, inputs, labels in training_batches(images, training.batch_size, training.augment, seed, run.epoch):
        if run.step == schedule.total:
            break
        rate = schedule.learning_rate(run.step)
        for group in run.optimizer.param_groups:
            group["lr"] = rate
        logits = run.network(inputs)
        loss = F.cross_entropy(logits, labels)
        run.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        run.optimizer.step()
        run.step += 1
        losses.append(loss.detach())
        hits.append(logits.detach().argmax(dim=1) == labels)
        visits.append(visited)
    run.epoch += 1
    hit = torch.cat(hits).cpu().numpy()
    run.correct = np.full(len(images), NOT_VISITED, np.uint8)
    run.correct[torch.cat(visits).cpu().numpy()] = hit
    run.record("training", np.array([rate, torch.stack(losses).mean().item(), hit.mean()]))


def train(
    run: Run, images: DeviceImages, training: Training, schedule: Schedule, seed: int, state: Path
) -> Iterator[None]:
    """Train ``run`` to the end of the schedule, yielding before the first and after every epoch.

    When the caller has done with an epoch, the run is written to the file ``state``, once a second at most; if the file
    is there at the start, the run goes on from it. What the caller does with an epoch may thus be done again after an
    interruption, with the same values: a run that is interrupted and started again ends in the same bytes as one that
    is not.
    """
    saved = time.monotonic()
    if state.exists():
        restore(run, state)
    else:
        yield
        save(run, state)
    begin = saved - run.seconds
    while run.step < schedule.total:
        train_epoch(run, images, training, schedule, seed)
        yield
        run.seconds = time.monotonic() - begin
        if run.step == schedule.total or time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
            save(run, state)
            saved = time.monotonic()


def save(run: Run, path: Path) -> None:
    """Write network, momentum, counters and records as one safetensors file."""
    velocity = {
        name: run.optimizer.state[parameter]["momentum_buffer"]
        for name, parameter in run.network.named_parameters()
        if run.optimizer.state[parameter].get("momentum_buffer") is not None
    }
    save_tensors(
        path,
        {f"network.{name}": tensor for name, tensor in run.network.state_dict().items()}
        | {f"velocity.{name}": tensor for name, tensor in velocity.items()}
        | {f"records.{name}": np.stack(values) for name, values in run.records.items()}
        | {"progress": np.array([run.epoch, run.step, run.seconds])},
    )


def restore(run: Run, path: Path) -> None:
    """Put a run back where ``save`` left it."""
    tensors = load_tensors(path)
    load_network(run.network, tensors)
    for name, parameter in run.network.named_parameters():
        if f"velocity.{name}" in tensors:
            velocity = torch.from_numpy(tensors[f"velocity.{name}"])
            run.optimizer.state[parameter]["momentum_buffer"] = torch.empty_like(parameter.detach()).copy_(velocity)
    run.epoch, run.step, run.seconds = (
        int(tensors["progress"][0]),
        int(tensors["progress"][1]),
        float(tensors["progress"][2]),
    )
    run.records = {
        name.removeprefix("records."): list(values) for name, values in tensors.items() if name.startswith("records.")
    }


def history(run: Run, seed: int) -> pd.DataFrame:
    """One row per epoch: seed, epoch, learning_rate, train_loss, train_accuracy, and, if the caller records
    ``validation``, validation_loss and validation_accuracy."""
    columns = ["learning_rate", "train_loss", "train_accuracy"]
    table = pd.DataFrame(np.array(run.records.get("training", [])).reshape(-1, 3), columns=columns)
    table.insert(0, "seed", seed)
    table.insert(1, "epoch", np.arange(1, len(table) + 1))
    if "validation" in run.records:
        table[["validation_loss", "validation_accuracy"]] = np.array(run.records["validation"])
    return table
