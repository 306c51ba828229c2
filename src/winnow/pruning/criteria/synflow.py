"""SynFlow (Tanaka et al. 2020, "Pruning neural networks without any data by iteratively conserving synaptic flow",
alg. 1)."""

import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import nn

    from winnow.pruning.context import Context, Scores


ROUNDS = 100  # as in the paper: a single round empties whole layers


def synflow(context: "Context") -> "Scores":
    """|w dR/dw|, with R the sum of the outputs of the network for an image of ones, all its parameters replaced by
    their absolute values. It takes no images but one, for its shape.

    In double precision, as products over layers overflow. In evaluation mode, with batch norm reduced to its scale: a
    mean, a variance or a shift would end the conservation of the scores, whose sum is the same in every layer of a
    network without biases. Layer norm and attention end it too. Raises ValueError if the scores overflow all the same.
    """
    import torch

    network = _linear(context.network)
    weights = [network.get_parameter(name) for name in context.mask]
    inputs, _ = next(iter(context.batches(1, 1)))
    ones = torch.ones(inputs.shape, dtype=torch.float64, device=weights[0].device)
    with torch.enable_grad():
        gradients = torch.autograd.grad(network(ones).sum(), weights, materialize_grads=True)
    scores = {
        name: (weight.detach() * gradient).abs()
        for name, weight, gradient in zip(context.mask, weights, gradients, strict=True)
    }
    if not all(bool(score.isfinite().all()) for score in scores.values()):
        raise ValueError("criterion: synflow's scores are too large for double precision in a network this deep")
    return scores


def _linear(network: "nn.Module") -> "nn.Module":
    """A copy that is linear for inputs that are not negative, if rectifiers are all that is not linear in it."""
    import torch
    from torch.nn.modules.batchnorm import _BatchNorm

    network = copy.deepcopy(network).double().eval().requires_grad_(True)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
        for norm in network.modules():
            if isinstance(norm, _BatchNorm):
                like = next(network.parameters())
                norm.running_mean = like.new_zeros(norm.num_features).detach()
                norm.running_var = like.new_full((norm.num_features,), 1 - norm.eps).detach()
                if norm.bias is not None:
                    norm.bias.zero_()
    return network
