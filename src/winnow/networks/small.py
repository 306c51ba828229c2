"""Networks that train in seconds: LeNet-300-100, and a convolutional network of three blocks."""

from torch import nn

from winnow.networks.shape import Shape


def lenet_300_100(shape: Shape, classes: int) -> nn.Sequential:
    """The fully connected network of LeCun et al. 1998 with 300 and 100 hidden units, and rectified linear units."""
    channels, height, width = shape
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(channels * height * width, 300),
        nn.ReLU(),
        nn.Linear(300, 100),
        nn.ReLU(),
        nn.Linear(100, classes),
    )


def convnet(width: int, shape: Shape, classes: int) -> nn.Sequential:
    """Three blocks of 3x3 convolution, batch norm and rectifier, of ``width``, 2 ``width`` and 4 ``width`` channels.

    The first two blocks end in 2x2 max-pooling, the last in a global average. Raises ValueError for images of less than
    4x4 pixels.
    """
    features, height, columns = shape
    if min(height, columns) < 4:
        raise ValueError(f"name: convnet takes images of 4x4 pixels or more, not {height}x{columns}")
    layers: list[nn.Module] = []
    for block in range(3):
        out = width * 2**block
        layers += [nn.Conv2d(features, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
        layers.append(nn.MaxPool2d(2) if block < 2 else nn.AdaptiveAvgPool2d(1))
        features = out
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, classes))
