"""Networks that train in seconds or minutes: LeNet-300-100, and two convolutional networks of three blocks."""

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


def airbench(width: int, shape: Shape, classes: int) -> nn.Sequential:
    """The network of Jordan 2024 (arXiv:2404.00498, sec. 3.1), which trains fast on CIFAR-10, made narrow.

    A 2x2 convolution without padding to ``width`` channels; then three blocks of ``width``, 4 ``width`` and 8 ``width``
    channels, each a 3x3 convolution, 2x2 max-pooling and another 3x3 convolution; then the maximum over all positions.
    The paper's has 24 channels, then blocks of 64, 256 and 256. Here the units are rectifiers, batch norm learns its
    scale, and every layer begins as He's initialisation has it and learns. Raises ValueError for images of less than
    9x9 pixels.
    """
    features, height, columns = shape
    if min(height, columns) < 9:
        raise ValueError(f"name: airbench takes images of 9x9 pixels or more, not {height}x{columns}")
    layers: list[nn.Module] = [nn.Conv2d(features, width, 2, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    features = width
    for out in (width, 4 * width, 8 * width):
        layers += [nn.Conv2d(features, out, 3, padding=1, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(out), nn.ReLU()]
        layers += [nn.Conv2d(out, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
        features = out
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(features, classes))
