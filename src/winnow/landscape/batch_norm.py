"""Batch norm's running statistics for weights that no training run has passed through."""

import math

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm  # of one, two or three dimensions

from winnow.streams import torch_stream
from winnow.training.batches import DeviceImages, normalise


@torch.no_grad()
def reestimate(network: nn.Module, images: DeviceImages, batch_size: int = 500) -> None:
    """Compute the running mean and variance of every batch-norm layer anew, over all of the images, not augmented.

    The images pass once, in ceil(n / batch_size) batches whose sizes differ by one at most. Every batch-norm layer
    normalises by the batch's own statistics, as in training; all else (dropout) is as in evaluation. The running mean
    is the average over the batches of the batch's mean, the running variance that of its unbiased variance over images
    and positions, as torch keeps them with ``momentum=None``. Many data sets are sorted by class, so the images come in
    an order drawn at random, the same one every time.

    A network without batch norm is left alone, at no cost. Modes and momenta are left as they were. At least one image.
    """
    layers = [m for m in network.modules() if isinstance(m, BatchNorm) and m.running_mean is not None]
    if not layers:
        return
    modes = [(module, module.training) for module in network.modules()]
    momenta = [(layer, layer.momentum) for layer in layers]
    network.eval()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
        layer.train()
    try:
        order = torch.randperm(len(images), generator=torch_stream(0, "statistics")).to(images.device)
        for rows in order.tensor_split(math.ceil(len(images) / batch_size)):
            network(normalise(images.at(rows), images))
    finally:
        for layer, momentum in momenta:
            layer.momentum = momentum
        for module, mode in modes:
            module.training = mode
