"""Turn a user's loader into the batches that the kernels take."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import RandomSampler

from winnow.training.batches import Batch
from winnow.training.evaluate import log_softmax

Loader = Iterable[Sequence[Tensor]]  # pairs: inputs [b, ...] and labels, whole numbers from 0, [b]


@dataclass(frozen=True)
class Passes:
    """The batches of a loader, on the device of a network. Each iteration is a new pass over the loader.

    Raises ValueError if the loader gives no batch, or something other than batches.
    """

    loader: Loader
    network: nn.Module

    def __iter__(self) -> Iterator[Batch]:
        none = True
        for inputs, labels in batches(self.loader):
            none = False
            yield to_device_of(self.network, inputs, labels)
        if none:
            raise ValueError("loader: gives no batch; an iterator passes once only, so give a DataLoader or a list")


def batches(loader: Loader) -> Iterator[Batch]:
    """The batches of the loader. Raises ValueError if it gives anything else."""
    for batch in loader:
        if not isinstance(batch, list | tuple) or [isinstance(part, Tensor) for part in batch] != [True, True]:
            raise ValueError("loader: must give pairs (inputs, labels) of tensors")
        inputs, labels = batch
        if labels.is_floating_point() or labels.shape != inputs.shape[:1]:
            raise ValueError(
                f"loader: labels must be whole numbers, one for each input; these are {labels.dtype} "
                f"{list(labels.shape)} for inputs {list(inputs.shape)}"
            )
        yield inputs, labels.long()


def examples(loader: Loader | None, network: nn.Module, count: int, size: int) -> Iterator[Batch]:
    """The loader's first count x size examples, on the network's device, in ``count`` batches of ``size``.

    Raises ValueError if the loader gives fewer.
    """
    if loader is None:
        raise ValueError("loader: must be given: the criterion, the allocation or the structure needs examples")
    parts, found = [], 0
    for batch in Passes(loader, network):
        parts.append(batch)
        found += len(batch[1])
        if found >= count * size:
            break
    else:
        raise ValueError(f"loader: gives {found} examples; {count} x {size} are asked for (batches, batch_size)")
    inputs, labels = (torch.cat(both)[: count * size].split(size) for both in zip(*parts, strict=True))
    return zip(inputs, labels, strict=True)


def to_device_of(network: nn.Module, inputs: Tensor, labels: Tensor) -> Batch:
    """The batch on the device of the network's parameters."""
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    return inputs.to(device), labels.to(device)


def outputs(network: nn.Module, inputs: Tensor, labels: Tensor) -> np.ndarray:
    """log softmax of the network's logits, float32 [b, classes]. Raises ValueError if the network gives no logits, or
    none for the class of a label."""
    found = log_softmax(network, to_device_of(network, inputs, labels)[0]).cpu().numpy()
    if found.ndim != 2 or len(found) != len(labels):
        raise ValueError(f"network: must give logits [{len(labels)}, classes] of {len(labels)} inputs")
    if len(labels) and not 0 <= labels.min() <= labels.max() < found.shape[1]:
        raise ValueError(f"loader: labels must be from 0 to {found.shape[1] - 1}, as the network has so many logits")
    return found


def refuse_shuffled(loader: Loader) -> None:
    """Raises ValueError if the loader shuffles, because results by row would then be in an unknown order."""
    if isinstance(getattr(loader, "sampler", None), RandomSampler):
        raise ValueError("loader: shuffles, so that row i would not be example i; make it with shuffle=False")
