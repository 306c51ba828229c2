"""What errors of tickets are measured on."""

from collections.abc import Mapping

from torch import nn

from winnow.training.batches import DeviceImages
from winnow.training.evaluate import accuracy, log_probabilities, mean_loss

Splits = Mapping[str, DeviceImages]  # by name: train, validation, test


def evaluate(network: nn.Module, splits: Splits) -> dict[str, tuple[float, float]]:
    """Error (1 - accuracy, 0 to 1) and mean loss (nats) on each split, in evaluation mode."""
    found = {}
    for name, part in splits.items():
        outputs, labels = log_probabilities(network, part), part.labels.cpu().numpy()
        found[name] = 1 - accuracy(outputs, labels), mean_loss(outputs, labels)
    return found
