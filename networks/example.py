"""A network of one's own: params.yaml has it with ``networks: {mine: {name: networks.example:perceptron}}``."""

from torch import nn


def perceptron(classes: int, shape: tuple[int, int, int]) -> nn.Module:
    """From images [n, channels, height, width] to logits [n, classes]. shape: channels, height, width.

    What is random in its weights must come from torch's global generator, which is seeded before the call.
    """
    channels, height, width = shape
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(channels * height * width, 32),
        nn.BatchNorm1d(32),
        nn.ReLU(),
        nn.Linear(32, classes),
    )
