"""The curvature of the loss at a ticket, and the largest cut that it predicts."""

from pathlib import Path

import numpy as np
import torch

from winnow.landscape.hessian import hessian_product, top_eigenpairs, trace
from winnow.landscape.limit import Spectrum, largest_cut
from winnow.landscape.live import count, live_entries
from winnow.landscape.spectrum import quadrature
from winnow.params.landscape import Curvature
from winnow.tickets.files import load_ticket
from winnow.training.batches import DeviceImages


def curvature(path: Path, images: DeviceImages, options: Curvature) -> dict[str, np.ndarray]:
    """Of the Hessian of the mean loss over the images with respect to the weights left (of all layers that train, those
    that no mask touches too), at the ticket in a file:

    - eigenvalues [k], the largest, falling, and eigenvectors, float32 [k, size]
    - nodes and weights [probes, steps]: the other eigenvalues, as in spectrum.quadrature
    - trace [2]: its estimate and the estimate's standard error
    - size [1]: of how many weights
    - predicted [2]: the largest share of the prunable weights left that one cut can take, by limit.largest_cut:
      with negative eigenvalues by their size, and as flat directions, which never gives less
    """
    ticket = load_ticket(path)
    network = ticket.network.to(images.device)
    live = live_entries(network, ticket.mask)
    size = count(live)
    product = hessian_product(network, images, live)
    values, vectors = top_eigenpairs(product, size, min(options.eigenvalues, size - 1))
    nodes, weights = quadrature(product, size, options.steps, options.probes, options.seed, without=vectors)
    state = ticket.state_dict()
    magnitudes = torch.cat([state[name].abs()[mask.to(images.device)] for name, mask in ticket.mask.items()])
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
