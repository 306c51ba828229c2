"""The curvature of the loss at a ticket, and the largest cut that it predicts."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from winnow.landscape.hessian import hessian_product, top_eigenpairs, trace
from winnow.landscape.limit import Spectrum, largest_cut
from winnow.landscape.live import count, live_entries
from winnow.landscape.spectrum import quadrature
from winnow.training.batches import DeviceImages

BATCH = 128  # images


@dataclass(frozen=True)
class Effort:
    """How closely the Hessian is looked at.

    eigenvalues: how many of the largest, exactly. probes: random vectors of the spectral density and the trace, with
    so many steps of Lanczos' method each, drawn by the seed. loss_rise: nats, the height of the sublevel set that
    predicts the largest cut.
    """

    eigenvalues: int = 10
    probes: int = 4
    lanczos_steps: int = 30
    loss_rise: float = 0.05
    seed: int = 0


def curvature(
    network: nn.Module, mask: Mapping[str, Tensor], images: DeviceImages, options: Effort
) -> dict[str, np.ndarray]:
    """Of the Hessian of the mean loss over the images with respect to the weights left (of all layers that train, those
    that no mask touches too), at a network whose weights the mask leaves or holds at zero:

    - eigenvalues [k], the largest, falling, and eigenvectors, float32 [k, size]
    - nodes and weights [probes, steps]: the other eigenvalues, as in spectrum.quadrature
    - trace [2]: its estimate and the estimate's standard error
    - size [1]: of how many weights
    - predicted [2]: the largest fraction of the prunable weights left that one cut can take, by limit.largest_cut:
      with negative eigenvalues by their size, and as flat directions, which never gives less
    """
    network = network.to(images.device)
    live = live_entries(network, mask)
    size = count(live)
    product = hessian_product(network, images.batches(BATCH), live)
    values, vectors = top_eigenpairs(product, size, min(options.eigenvalues, size - 1))
    nodes, weights = quadrature(product, size, options.lanczos_steps, options.probes, options.seed, without=vectors)
    weights_left = [network.get_parameter(name).detach()[kept.to(images.device)] for name, kept in mask.items()]
    magnitudes = torch.cat(weights_left).abs()
    spectrum = Spectrum(size, values, nodes, weights)
    predicted = [largest_cut(magnitudes.cpu().numpy(), options.loss_rise, spectrum, flat) for flat in (False, True)]
    return {
        "eigenvalues": values,
        "eigenvectors": vectors.float().cpu().numpy(),
        "nodes": nodes,
        "weights": weights,
        "trace": np.array(trace(product, size, options.probes, options.seed)),
        "size": np.array([size]),
        "predicted": np.array(predicted),
    }
