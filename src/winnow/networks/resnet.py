"""Residual networks for small images: the CIFAR family of He et al. 2016, and ResNet-18 and -50 with a CIFAR stem."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from winnow.networks.shape import Shape


class _Strided1x1(nn.Conv2d):
    """A strided 1x1 convolution, computed with stride 1 on the pixels that it uses: the same function.

    On processors without AVX-512, torch 2.15's oneDNN (jit_1x1:avx2) writes past the end of its memory when it computes
    the gradient of such a layer's weights, if the number of its input channels is not a multiple of 8: training crashes
    or gives wrong numbers.
    """

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = self.stride
        return functional.conv2d(x[:, :, ::rows, ::columns], self.weight, self.bias)


def _conv(channels: int, out: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    kind = _Strided1x1 if kernel == 1 and stride > 1 and channels % 8 else nn.Conv2d
    return kind(channels, out, kernel, stride, padding=kernel // 2, bias=False)  # batch norm adds the bias


def _shortcut(channels: int, out: int, stride: int) -> nn.Sequential:
    """The identity if the shapes agree, else a 1x1 projection with batch norm (He et al. 2016, sec. 3.3, "option B").

    The CIFAR networks of that paper pad with zeros instead ("option A"); the lottery ticket papers' code (open_lth)
    projects, and so does this.
    """
    if stride == 1 and channels == out:
        return nn.Sequential()
    return nn.Sequential(_conv(channels, out, 1, stride), nn.BatchNorm2d(out))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut: [n, channels, h, w] to [n, out, h / stride, w / stride]."""

    expansion = 1

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv(channels, width, 3, stride), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = _conv(width, width, 3), nn.BatchNorm2d(width)
        self.shortcut = _shortcut(channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(out)) + self.shortcut(x))


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolution around a shortcut: [n, channels, h, w] to [n, 4 width, h / stride, w / stride]."""

    expansion = 4

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        out = self.expansion * width
        self.conv1, self.bn1 = _conv(channels, width, 1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = _conv(width, width, 3, stride), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = _conv(width, out, 1), nn.BatchNorm2d(out)
        self.shortcut = _shortcut(channels, out, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = functional.relu(self.bn1(self.conv1(x)))
        out = functional.relu(self.bn2(self.conv2(out)))
        return functional.relu(self.bn3(self.conv3(out)) + self.shortcut(x))


class ResNet(nn.Module):
    """3x3 stem without pooling, stages of residual blocks, global average pooling, a linear layer.

    ``depths`` has the number of blocks of each stage. Every stage after the first halves height and width, and doubles
    the channels, from ``width``.
    """

    def __init__(
        self, block: type[BasicBlock | Bottleneck], depths: tuple[int, ...], width: int, channels: int, classes: int
    ) -> None:
        super().__init__()
        self.conv, self.bn = _conv(channels, width, 3), nn.BatchNorm2d(width)
        blocks: list[nn.Module] = []
        features = width
        for stage, depth in enumerate(depths):
            for position in range(depth):
                stride = 2 if stage > 0 and position == 0 else 1
                blocks.append(block(features, width * 2**stage, stride))
                features = width * 2**stage * block.expansion
        self.blocks = nn.Sequential(*blocks)
        self.linear = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        out = functional.relu(self.bn(self.conv(x)))
        out = self.blocks(out)
        return self.linear(torch.mean(out, dim=(2, 3)))


def cifar_resnet(depth: int, width: int, shape: Shape, classes: int) -> ResNet:
    """The network of ``depth`` = 6 n + 2 layers of He et al. 2016, sec. 4.2: three stages of n basic blocks."""
    return ResNet(BasicBlock, ((depth - 2) // 6,) * 3, width, shape[0], classes)


def resnet18(width: int, shape: Shape, classes: int) -> ResNet:
    """ResNet-18 of He et al. 2016, table 1, with the stem for small images."""
    return ResNet(BasicBlock, (2, 2, 2, 2), width, shape[0], classes)


def resnet50(width: int, shape: Shape, classes: int) -> ResNet:
    """ResNet-50 of He et al. 2016, table 1, with the stem for small images; a stage's stride is in its 3x3 layer."""
    return ResNet(Bottleneck, (3, 4, 6, 3), width, shape[0], classes)
