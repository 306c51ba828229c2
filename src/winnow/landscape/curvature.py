"""The curvature of the loss at a ticket, and the largest cut that the curvature predicts."""

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
    """How thoroughly the Hessian is measured.

    eigenvalues: how many of the largest to compute exactly. probes: how many random vectors, drawn by the seed,
    estimate the spectral density and the trace. lanczos_steps: steps of Lanczos' method for each probe. loss_rise:
    nats, the height of the sublevel set that predicts the largest cut.
    """

    eigenvalues: int = 10
    probes: int = 4
    lanczos_steps: int = 30
    loss_rise: float = 0.05
    seed: int = 0


def curvature(
    network: nn.Module, mask: Mapping[str, Tensor], images: DeviceImages, options: Effort
) -> dict[str, np.ndarray]:
    """Measures of the Hessian of the mean loss over the images, at a network whose pruned weights are zero. The Hessian
    is over the remaining weights of all trained layers, including layers that the mask does not name:

    - eigenvalues [k], the largest in falling order, and eigenvectors, float32 [k, size]
    - nodes and weights [probes, steps]: the other eigenvalues, as in spectrum.quadrature
    - trace [2]: the estimate and its standard error
    - size [1]: the number of weights
    - predicted [2]: the largest fraction of the remaining prunable weights that one cut can prune, by
      limit.largest_cut: first with negative eigenvalues by their size, then as flat directions, which never gives less
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
