"""What a criterion may use to score weights."""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from winnow.pruning.masks import Mask
from winnow.pruning.multiplications import positions
from winnow.streams import torch_stream
from winnow.training.batches import DeviceImages, normalise

Scores = Mapping[str, Tensor | np.ndarray]  # by the names of prunable parameters, each in its parameter's shape
Batches = Callable[[int, int], Iterable[tuple[Tensor, Tensor]]]  # from a number and a size to inputs and labels
OfBatch = Callable[[nn.Module, list[Tensor], Tensor, Tensor], Sequence[Tensor]]


@dataclass(frozen=True, eq=False)
class Context:
    """The network whose weights are scored (no criterion changes it), and what else scores may depend on.

    mask: the remaining weights, by the names of all prunable parameters. batches: images to take gradients on, the same
    ones in every call. seed: for what a criterion draws. loss: of logits and labels, the mean over a batch. before: the
    context of the first round, if this is a later one.
    """

    network: nn.Module
    mask: Mask
    batches: Batches
    seed: int = 0
    loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy
    before: "Context | None" = None

    @property
    def weights(self) -> dict[str, Tensor]:
        """The prunable weights, with zeros where the mask has pruned."""
        return {name: self.network.get_parameter(name).detach() for name in self.mask}

    @property
    def first_weights(self) -> dict[str, Tensor]:
        """The prunable weights before the first round: those that a round has pruned are not zero."""
        return (self.before or self).weights

    def copied(self) -> "Context":
        """The same, with a network of its own."""
        return replace(self, network=copy.deepcopy(self.network))

    def under(self, mask: Mask) -> "Context":
        """The context of a later round, in which the mask has pruned more weights."""
        copied = self.copied()
        with torch.no_grad():
            for name, kept in mask.items():
                weight = copied.network.get_parameter(name)
                weight.masked_fill_(~kept.to(weight.device), 0)
        return replace(copied, mask=mask, before=self.before or self)

    def only(self, name: str) -> "Context":
        """The same of one layer."""
        return replace(self, mask={name: self.mask[name]})

    def gradients(self, count: int, size: int) -> dict[str, Tensor]:
        """The gradient of the mean loss over ``count`` batches of ``size`` images, with respect to the prunable
        weights; in training mode, in single precision.

        Raises ValueError if there are too few images.
        """

        def gradient(network: nn.Module, weights: list[Tensor], inputs: Tensor, labels: Tensor) -> Sequence[Tensor]:
            return torch.autograd.grad(self.loss(network(inputs), labels), weights, materialize_grads=True)

        return self.mean_over_batches(gradient, count, size, training=True)

    def uses(self) -> dict[str, int]:
        """How often each of a layer's weights is multiplied for one image, by the names of the prunable weights.

        Raises ValueError, naming the weight, for a layer that the network does not call.
        """
        inputs, _ = next(iter(self.batches(1, 1)))
        found = positions(self.network, inputs)
        if unused := [name for name in self.mask if not found[name]]:
            raise ValueError(f"allocation: the network does not call the layer of {unused[0]}, so it has no uses")
        return {name: found[name] for name in self.mask}

    def mean_over_batches(self, of_batch: OfBatch, count: int, size: int, training: bool) -> dict[str, Tensor]:
        """The mean over ``count`` batches of ``size`` images of what ``of_batch`` gives: for each prunable weight a
        tensor. It gets a copy of the network, in training or evaluation mode, the copy's prunable weights,
        inputs and labels. Dropout draws the same in every call.

        Raises ValueError if there are too few images.
        """
        total: list[Tensor] = []

        def add(network: nn.Module, weights: list[Tensor], inputs: Tensor, labels: Tensor) -> None:
            parts = [part.detach() / count for part in of_batch(network, weights, inputs, labels)]
            total[:] = [sum_ + part for sum_, part in zip(total, parts, strict=True)] if total else parts

        self.for_batches(add, count, size, training)
        return dict(zip(self.mask, total, strict=True))

    def mean_of_layers(
        self, record: Callable[[nn.Module, Tensor], Mapping[str, Tensor]], criterion: str, count: int, size: int
    ) -> dict[str, Tensor]:
        """``mean_over_batches``, in evaluation mode, of what ``record`` keeps of each layer, by the name of its weight.
        It gets inputs, and the network, of which only the prunable weights are trainable.

        Raises ValueError, naming the criterion and the layer, if it keeps nothing of one.
        """

        def of_batch(network: nn.Module, _weights: list[Tensor], inputs: Tensor, _labels: Tensor) -> list[Tensor]:
            for name, parameter in network.named_parameters():
                parameter.requires_grad_(name in self.mask)
            found = record(network, inputs)
            for name in self.mask:
                if name not in found:
                    raise ValueError(
                        f"criterion: {criterion} finds no inputs of {name}; it scores conv2d and linear layers"
                    )
            return [found[name] for name in self.mask]

        return self.mean_over_batches(of_batch, count, size, training=False)

    def for_batches(
        self, work: Callable[[nn.Module, list[Tensor], Tensor, Tensor], None], count: int, size: int, training: bool
    ) -> None:
        """Call ``work`` with each of ``count`` batches of ``size`` images, as ``mean_over_batches`` calls
        ``of_batch``."""
        network = copy.deepcopy(self.network).train(training).requires_grad_(True)
        weights: list[Tensor] = [network.get_parameter(name) for name in self.mask]
        device = weights[0].device
        batches = self.batches(count, size)  # before the seed is set: a DataLoader draws too
        with (
            torch.enable_grad(),
            torch.random.fork_rng(devices=[] if device.type == "cpu" else [device]),
            torch.backends.cudnn.flags(benchmark=False, deterministic=True, allow_tf32=False),
        ):
            torch.manual_seed(torch_stream(self.seed, "scoring", 1).initial_seed())  # of dropout
            for inputs, labels in batches:
                work(network, weights, inputs, labels)


def batches_of(images: DeviceImages, seed: int) -> Batches:
    """Batches of distinct images, drawn at random by the seed, without augmentation."""

    def batches(count: int, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        if count * size > len(images):
            raise ValueError(f"batch_size: {count} x {size} images, but there are only {len(images)}")
        order = torch.randperm(len(images), generator=torch_stream(seed, "scoring"))[: count * size]
        for rows in order.to(images.device).split(size):
            yield normalise(images.at(rows), images), images.labels[rows]

    return batches
