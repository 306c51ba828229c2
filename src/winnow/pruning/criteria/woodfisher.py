"""WoodFisher (Singh, Alistarh 2020, "WoodFisher: efficient second-order approximation for neural network compression",
eq. 10), after optimal brain surgeon (Hassibi, Stork 1993)."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor, nn

    from winnow.pruning.context import Context, Scores


def woodfisher(
    context: "Context",
    *,
    batches: Annotated[int, Ge(1)] = 2,
    batch_size: Annotated[int, Ge(1)] = 128,
    block: Annotated[int, Ge(1)] = 1000,
    damping: Annotated[float, Gt(0)] = 1e-3,
) -> "Scores":
    """w^2 / (2 [F^-1]_ii): how much the loss rises, to second order, if the weight is set to zero and all others of its
    block are changed to make the best of it. F = damping I + the mean over images of g_n g_n', with g_n the gradient
    of the loss of image n alone. Blocks are runs of ``block`` remaining weights of a layer, in row-major order. With a
    block as large as the layer it is optimal brain surgeon, layer by layer.

    ``update`` changes the other weights. The inverse is by Woodbury's identity, from matrices of images x images, in
    double precision. In evaluation mode. The gradients of one layer, images x weights, are in memory at a time, and
    there is a backward pass for every layer. Raises ValueError, naming the layer, for weights whose gradients of single
    images have no formula.
    """
    import torch

    scores = {}
    for name, live, gradients in _gradients(context, batches, batch_size):
        weight = context.weights[name]
        inverse = torch.cat([inverse_diagonal(part.double(), damping) for part in gradients.split(block, 1)])
        layer = torch.zeros(weight.numel(), dtype=torch.float64, device=weight.device)
        layer[live] = weight.flatten()[live].double().square() / (2 * inverse)
        scores[name] = layer.reshape(weight.shape)
    return scores


def update(
    context: "Context", mask: "Mapping[str, Tensor]", *, batches: int, batch_size: int, block: int, damping: float
) -> "dict[str, Tensor]":
    """The weights after the cut from the context's mask to this one: zero where the cut has pruned, the others of a
    block changed such that the loss rises least, to second order, with F in place of the Hessian.

    Takes the options of ``woodfisher``, and as much memory. The paper (eq. 11) computes a change for each pruned
    weight as if it were the only one, and adds these up. Here ``best_change`` finds the best change for all pruned
    weights of a block together; for one weight the two are the same. The gradient of the loss is taken to be zero,
    as at the end of a training.
    """
    weights = {}
    for name, live, gradients in _gradients(context, batches, batch_size):
        flat = context.weights[name].flatten().clone()
        stays = mask[name].flatten().to(flat.device)
        for places, part in zip(live.nonzero()[:, 0].split(block), gradients.split(block, 1), strict=True):
            kept, old = stays[places], flat[places].double()
            change = best_change(part.double(), old, kept, damping)
            flat[places] = (old + change).masked_fill(~kept, 0).to(flat.dtype)
        weights[name] = flat.reshape(context.weights[name].shape)
    return weights


def best_change(gradients: "Tensor", weights: "Tensor", kept: "Tensor", damping: float) -> "Tensor":
    """The change d [c] of weights w [c] that minimises d' F d. kept: bool [c]; all other weights go, so there d = -w.

    F is damping I + G' G / n, of gradients G [n, c]. Let K be the columns of G for the kept weights, and P those for
    the pruned ones, w_P. Then the kept weights change by K' (n damping I + K K')^-1 P w_P."""
    import torch

    n, of_kept, gone = len(gradients), gradients[:, kept], ~kept
    inner = of_kept @ of_kept.T + n * damping * torch.eye(n, dtype=gradients.dtype, device=gradients.device)
    change = -weights.clone()
    change[kept] = of_kept.T @ torch.linalg.solve(inner, gradients[:, gone] @ weights[gone])
    return change


def inverse_diagonal(gradients: "Tensor", damping: float) -> "Tensor":
    """The diagonal [c] of the inverse of damping I + G' G / n, of gradients G [n, c]."""
    import torch

    n = len(gradients)
    inner = gradients @ gradients.T / damping + n * torch.eye(n, dtype=gradients.dtype, device=gradients.device)
    half = torch.linalg.solve_triangular(torch.linalg.cholesky(inner), gradients, upper=False)
    return (1 - half.square().sum(0) / damping) / damping


def _gradients(context: "Context", batches: int, batch_size: int) -> "Iterator[tuple[str, Tensor, Tensor]]":
    """For each layer its name, which of its weights remain, bool flat, and the gradients of single images for these,
    [images, remaining weights]."""
    import torch

    from winnow.pruning.single_images import each_gradient

    for name, weight in context.weights.items():
        live = context.mask[name].flatten().to(weight.device)
        one_layer = context.only(name)
        rows: list[Tensor] = []

        def collect(
            network: "nn.Module",
            _weights: "list[Tensor]",
            inputs: "Tensor",
            labels: "Tensor",
            one_layer: "Context" = one_layer,
            rows: "list[Tensor]" = rows,
            live: "Tensor" = live,
        ) -> None:
            each_gradient(
                one_layer, network, inputs, labels, lambda _, found: rows.append(found.flatten(1)[:, live].clone())
            )

        one_layer.for_batches(collect, batches, batch_size, training=False)
        yield name, live, torch.cat(rows)
