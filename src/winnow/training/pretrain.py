"""Training without labels, by Barlow Twins (Zbontar et al. 2021, "Barlow Twins: self-supervised learning via redundancy
reduction"): two views of an image get the same features, and no feature repeats another."""

from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from winnow.networks import Shape, initialise
from winnow.params.training import Augment, Network, Training
from winnow.storage import load_tensors, save_table, save_tensors
from winnow.streams import torch_stream
from winnow.training.batches import DeviceImages, training_batches
from winnow.training.device import precision
from winnow.training.evaluate import last_linear, with_features
from winnow.training.last_layer import load_but_last
from winnow.training.loop import Beginning, Graphs, Run, optimiser_step, seed_layers
from winnow.training.plan import Visits
from winnow.training.schedule import Schedule
from winnow.training.views import draws_of_views, views

WIDTH = 128  # of the projection; the paper's 8192 is for 2048 features
# How much the products of different features count, the paper's lambda: more than its 0.005, because each feature has
# fewer of them here
REDUNDANCY = 0.02


class Twins(nn.Module):
    """A network with a projection behind it. The network's own last linear layer is the first of the projection, so
    that its features are the inputs of that layer, as elsewhere."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.projection = nn.Sequential(
            nn.BatchNorm1d(WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, WIDTH, bias=False),
            nn.BatchNorm1d(WIDTH, affine=False),  # the normalisation of eq. 2
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """The projections [b, WIDTH], of mean 0 and standard deviation 1 over the batch."""
        projected: Tensor = self.projection(self.network(inputs))
        return projected


def twins(network: Network, shape: Shape, seed: int) -> Twins:
    """The network and projection that a run of ``seed`` starts with, for images of this shape.

    Raises ValueError if the network has no linear layer, or if the file of weights that the params name does not fit
    what is before that layer.
    """
    own = initialise(network, WIDTH, shape, seed)
    last_linear(own)
    if network.weights is not None:
        try:
            load_but_last(own, load_tensors(network.weights))
        except ValueError as error:
            raise ValueError(f"weights: {error}") from None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_stream(seed, "projection").initial_seed())
        return Twins(own)


def unlabelled(network: Network, shape: Shape) -> Callable[[int], Beginning]:
    """Begin with ``twins`` for images of this shape."""
    return lambda seed: Beginning(twins(network, shape, seed), seed)


def twin_loss(first: Tensor, second: Tensor) -> Tensor:
    """The loss of Barlow Twins, eq. 1, divided by the number of features, so that learning rates of classification suit
    it.

    first, second: of two views of b images, features [b, d] of mean 0 and standard deviation 1 over the batch. With C
    the mean over the batch of the products of the first's features with the second's, [d, d], it is the sum of
    (1 - C_ii)^2 over all i plus REDUNDANCY times that of C_ij^2 over all i other than j, over d.
    """
    products = first.float().T @ second.float() / len(first)
    squares, alike = products.square(), products.diagonal()
    different = squares.sum() - alike.square().sum()
    return ((1 - alike).square().sum() + REDUNDANCY * different) / len(products)


def train_epoch(
    runs: Sequence[Run],
    images: DeviceImages,
    training: Training,
    schedule: Schedule,
    _graphs: Graphs | None = None,
    _visits: Sequence[Visits] = (),
) -> None:
    """Train runs of ``twins`` at the same step to the end of their epoch, or of the schedule if that comes first, each
    from the beginning of the epoch.

    Of the training's augmentation it takes ``flip`` only: views take the place of padded crops. The labels are not
    read. Records ``training`` (float64 [2]: learning rate of the last step, mean loss over the steps).
    """
    device, (channels, *_) = images.device, images.shape
    seeds, size, epoch = [run.seed for run in runs], training.batch_size, runs[0].epoch
    for run in runs:
        run.network.train()
    drawn = torch.stack([draws_of_views(seed, epoch, len(images) // size * size, channels) for seed in seeds])
    drawn = drawn.to(device)
    losses = []
    batches = training_batches(images, size, Augment(), seeds, epoch)
    for number, (_, inputs, _) in enumerate(islice(batches, schedule.total - runs[0].step)):
        rate = schedule.learning_rate(runs[0].step)
        for run, own, draws in zip(runs, inputs, drawn[:, :, number * size : (number + 1) * size], strict=True):
            seed_layers(torch_stream(run.seed, "dropout", run.step).initial_seed(), device)
            pair = [views(own, draw, training.augment.flip) for draw in draws]  # places of pixels need all bits
            with precision(training, device):
                first, second = (run.network(view) for view in pair)
            loss = twin_loss(first, second)
            loss.backward()
            optimiser_step(run, training, rate)
            run.step += 1
            losses.append(loss.detach())
    for run, loss in zip(runs, torch.stack(losses).view(-1, len(runs)).T, strict=True):
        run.epoch += 1
        run.record("training", np.array([rate, loss.mean().item()]))


def keep_features(images: DeviceImages) -> Callable[[Run], None]:
    """At the end: keep ``features.safetensors`` (features, float16 [n, d], of all images) and ``history.csv`` (one row
    per epoch: seed, epoch, learning_rate, train_loss)."""

    def on_end(run: Run) -> None:
        assert isinstance(run.network, Twins)
        save_tensors(run.working / "features.safetensors", {"features": with_features(run.network.network, images)[1]})
        records = np.array(run.records.get("training", [])).reshape(-1, 2)
        table = pd.DataFrame(records, columns=["learning_rate", "train_loss"])
        table.insert(0, "seed", run.seed)
        table.insert(1, "epoch", np.arange(len(table)) + 1)
        save_table(run.working / "history.csv", table)

    return on_end
