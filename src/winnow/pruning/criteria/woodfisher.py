"""WoodFisher (Singh, Alistarh 2020, "WoodFisher: efficient second-order approximation for neural network compression",
eq. 10), after optimal brain surgeon (Hassibi, Stork 1993)."""

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

    The paper also changes the other weights; here they stay as they are. The inverse is by Woodbury's identity, from
    matrices of images x images, in double precision. In evaluation mode. The gradients of one layer, images x weights,
    are in memory at a time, and there is a backward pass for every layer. Raises ValueError, naming the layer, for
    weights whose gradients of single images have no formula.
    """
    import torch

    from winnow.pruning.single_images import each_gradient

    scores = {}
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
        gradients = torch.cat(rows)
        inverse = torch.cat([inverse_diagonal(part.double(), damping) for part in gradients.split(block, 1)])
        layer = torch.zeros(weight.numel(), dtype=torch.float64, device=weight.device)
        layer[live] = weight.flatten()[live].double().square() / (2 * inverse)
        scores[name] = layer.reshape(weight.shape)
    return scores


def inverse_diagonal(gradients: "Tensor", damping: float) -> "Tensor":
    """The diagonal [c] of the inverse of damping I + G' G / n, of gradients G [n, c]."""
    import torch

    n = len(gradients)
    inner = gradients @ gradients.T / damping + n * torch.eye(n, dtype=gradients.dtype, device=gradients.device)
    half = torch.linalg.solve_triangular(torch.linalg.cholesky(inner), gradients, upper=False)
    return (1 - half.square().sum(0) / damping) / damping
