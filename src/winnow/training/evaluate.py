"""The outputs of a network on many images, and what they say: loss and accuracy."""

import numpy as np
import torch
import torch.nn.functional as F

from winnow.training.batches import DeviceImages, normalise


@torch.no_grad()
def log_probabilities(network: torch.nn.Module, images: DeviceImages, batch_size: int = 500) -> np.ndarray:
    """log softmax of the logits for every image, without augmentation, batch norm in evaluation mode.

    Returns float32 [n, classes], or [0, 1] if there is no image. Leaves the network in the mode it was in.
    """
    was_training = network.training
    network.eval()
    outputs = np.zeros((0, 1), np.float32)
    for number, (pixels, _) in enumerate(images.in_order(batch_size)):
        part = F.log_softmax(network(normalise(pixels, images)).float(), dim=1)
        if number == 0:
            outputs = np.empty((len(images), part.shape[1]), np.float32)
        outputs[number * batch_size :][: len(part)] = part.cpu().numpy()
    network.train(was_training)
    return outputs


def mean_loss(log_probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean cross-entropy in nats; nan if there is no image. log_probabilities: [n, classes]; labels: int [n]."""
    return float(-log_probabilities[np.arange(len(labels)), labels].mean()) if len(labels) else float("nan")


def accuracy(log_probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Share of images whose most probable class is their label; nan if there is no image."""
    return float((log_probabilities.argmax(axis=1) == labels).mean()) if len(labels) else float("nan")
