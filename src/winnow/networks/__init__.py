"""Architectures by name, and their random initialisation."""

import re
from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from winnow.networks.own import own_network
from winnow.networks.recurrent import CELLS, Recurrent
from winnow.networks.resnet import cifar_resnet, resnet18, resnet50
from winnow.networks.shape import Shape
from winnow.networks.small import airbench, convnet, lenet_300_100
from winnow.networks.transformer import vit
from winnow.networks.weights import load_weights
from winnow.networks.zoo import torchvision_network
from winnow.params import training as schema
from winnow.streams import Stream, torch_stream

# Architectures with a width: its default, and a function of (width, shape, classes) that builds one.
Construct = Callable[[int, Shape, int], nn.Module]
HE_INITIALISED: dict[str, tuple[int, Construct]] = {
    "resnet18": (64, resnet18),
    "resnet50": (64, resnet50),  # the bottleneck network: not of the CIFAR family, though 50 = 6 * 8 + 2
    "convnet": (16, convnet),
    "airbench": (16, airbench),
}
WITH_OWN_INITIALISATION: dict[str, tuple[int, Construct]] = {
    **{kind: (64, partial(Recurrent, kind)) for kind in CELLS},
    "vit": (64, vit),
}
CIFAR_WIDTH = 16  # of resnetN, N = 6 n + 2


def build(params: schema.Network, classes: int, shape: Shape) -> nn.Module:
    """Build an architecture for images of ``shape``: from [n, channels, height, width] to logits [n, classes].

    Its weights are drawn only from torch's global CPU generator, so the caller seeds them.
    Convolutions and linear layers of our own architectures get He et al. 2015's normal initialisation with fan-in,
    variance 2 / fan_in, and zero bias; batch norm gets weight 1 and bias 0. Recurrent networks begin as torch's own do,
    and torchvision's classifiers as torchvision's do; ``vit`` does so but for its last layer, which is not zero.

    Raises ValueError if the name is unknown, if the architecture has no width to set, or if it cannot take such images.
    """
    name = params.name
    if name in HE_INITIALISED:
        default, construct = HE_INITIALISED[name]
        return _he_initialised(construct(params.width or default, shape, classes))
    if name in WITH_OWN_INITIALISATION:
        default, construct = WITH_OWN_INITIALISATION[name]
        return construct(params.width or default, shape, classes)
    depth = re.fullmatch(r"resnet(\d+)", name)
    if depth is not None:
        return _he_initialised(cifar_resnet(int(depth[1]), params.width or CIFAR_WIDTH, shape, classes))
    return _without_width(params, classes, shape)


def initialise(
    params: schema.Network, classes: int, shape: Shape, seed: int, stream: Stream = "initialisation"
) -> nn.Module:
    """``build`` with the weights that belong to ``seed``: the same bytes every time, whatever was drawn before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_stream(seed, stream).initial_seed())
        return build(params, classes, shape)


def starting(params: schema.Network, classes: int, shape: Shape, seed: int) -> nn.Module:
    """The network that a run of ``seed`` starts with: ``initialise``, then the weights file in the params, if any."""
    network = initialise(params, classes, shape, seed)
    if params.weights is not None:
        try:
            load_weights(network, params.weights)
        except ValueError as error:
            raise ValueError(f"weights: {error}") from None
    return network


def _without_width(params: schema.Network, classes: int, shape: Shape) -> nn.Module:
    """``build`` of the architectures whose name says everything."""
    name = params.name
    if name != "lenet_300_100" and ":" not in name:
        raise ValueError(f"name: unknown network {name!r}; there are {schema.NETWORK_NAMES}")
    if params.width is not None:
        raise ValueError(f"width: {name} has no width to set; leave the key out")
    if name == "lenet_300_100":
        return _he_initialised(lenet_300_100(shape, classes))
    if name.startswith("torchvision:"):
        return torchvision_network(name.removeprefix("torchvision:"), classes, shape)
    return own_network(name, classes, shape)


def _he_initialised(network: nn.Module) -> nn.Module:
    """He et al. 2015, eq. 10, as open_lth does it for its networks; in the order of ``network.modules()``."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


__all__ = ["Shape", "build", "initialise", "starting"]
