"""The outputs of a network on many images, and their loss and accuracy."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from winnow.autograd.evaluation import evaluation
from winnow.storage import gathered
from winnow.training.batches import Batch, DeviceImages


def log_probabilities(network: nn.Module, images: DeviceImages, batch_size: int = 500) -> np.ndarray:
    """Log softmax of the logits for every image, without augmentation, with batch norm in evaluation mode.

    Returns float32 [n, classes], or [0, 1] without images; of many images or classes as a memory map (``gathered``).
    The network keeps its mode.
    """
    return _through(network, images, batch_size, None)[0]


def with_features(network: nn.Module, images: DeviceImages, batch_size: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """``log_probabilities``, and the inputs of the network's last linear layer, float16 [n, d], in one pass.

    Raises ValueError if the network has no linear layer.
    """
    return _through(network, images, batch_size, last_linear(network))


def last_linear(network: nn.Module) -> nn.Module:
    """The layer whose inputs are the network's features. Raises ValueError if the network has no linear layer."""
    layers = [module for module in network.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise ValueError("the network has no linear layer, whose inputs are its features")
    return layers[-1]


def with_inputs_of(layer: nn.Module, network: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """``log_softmax`` of one batch, and the inputs of one of the network's layers, [b, d]."""
    seen: list[Tensor] = []
    with layer.register_forward_pre_hook(lambda _, given: seen.append(given[0])):
        outputs = log_softmax(network, inputs)
    return outputs, seen[-1].flatten(1)


@torch.no_grad()
def log_softmax(network: nn.Module, inputs: Tensor) -> Tensor:
    """Log softmax of the network's logits for one batch, in its current mode: float32 [b, classes]."""
    return F.log_softmax(network(inputs).float(), dim=1)


def error_and_loss(network: nn.Module, batches: Iterable[Batch]) -> tuple[float, float]:
    """Error (1 - accuracy, 0 to 1) and mean cross-entropy (nats) over all batches, at least one, in evaluation mode."""
    hits, log_likelihoods = [], []
    with evaluation(network):
        for inputs, labels in batches:
            outputs, given = log_softmax(network, inputs).cpu().numpy(), labels.cpu().numpy()
            hits.append(outputs.argmax(axis=1) == given)
            log_likelihoods.append(outputs[np.arange(len(given)), given])
    return 1 - float(np.concatenate(hits).mean()), float(-np.concatenate(log_likelihoods).mean())


def _through(
    network: nn.Module, images: DeviceImages, batch_size: int, layer: nn.Module | None
) -> tuple[np.ndarray, np.ndarray]:
    """The log softmax of all images, and the inputs of a layer, if one is given."""

    def parts() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for inputs, _ in images.batches(batch_size):
            if layer is None:
                yield log_softmax(network, inputs).cpu().numpy(), np.zeros((len(inputs), 0), np.float16)
                continue
            outputs, features = with_inputs_of(layer, network, inputs)
            yield outputs.cpu().numpy(), features.half().cpu().numpy()

    if not len(images):
        return np.zeros((0, 1), np.float32), np.zeros((0, 1), np.float16)
    with evaluation(network):
        outputs, features = gathered(parts())
    return outputs, features


def mean_loss(log_probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean cross-entropy in nats; nan without images. log_probabilities: [n, classes]; labels: int [n]."""
    return float(-log_probabilities[np.arange(len(labels)), labels].mean()) if len(labels) else float("nan")


def accuracy(log_probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Fraction of images whose most probable class is their label; nan without images."""
    return float((log_probabilities.argmax(axis=1) == labels).mean()) if len(labels) else float("nan")
