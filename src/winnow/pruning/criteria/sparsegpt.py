"""SparseGPT (Frantar, Alistarh 2023, "SparseGPT: massive language models can be accurately pruned in one-shot",
sec. 3)."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor, nn

    from winnow.pruning.context import Context, Scores


def sparsegpt(
    context: "Context",
    *,
    batches: Annotated[int, Ge(1)] = 1,
    batch_size: Annotated[int, Ge(1)] = 128,
    damping: Annotated[float, Gt(0)] = 0.01,
) -> "Scores":
    """(w / U_ii)^2: how much the squared change of a layer's outputs grows if weight i of an output is set to zero, and
    the later weights of this output are changed to make the best of it. H is 2 X X', of the inputs X that the weights
    meet, plus ``damping`` times its mean diagonal entry; U is the upper Cholesky factor of its inverse.

    ``update`` changes the weights. Scores compare within a layer: take an allocation other than ``global``. The paper
    chooses the mask from left to right, in blocks of 128 columns, while it changes the weights; here all are scored as
    they are. It has linear layers only; the form for convolutions is ours. Inputs come from the network before the cut,
    in evaluation mode; labels are not used. In double precision. Raises ValueError, naming the layer, for weights of
    layers other than two-dimensional convolutions and linear ones.
    """
    scores = {}
    for name, weight, factors in _factors(context, batches, batch_size, damping):
        found = (weight / factors.diagonal(dim1=1, dim2=2)[:, None]).square()
        scores[name] = found.reshape(context.mask[name].shape)
    return scores


def update(
    context: "Context", mask: "Mapping[str, Tensor]", *, batches: int, batch_size: int, damping: float
) -> "dict[str, Tensor]":
    """The weights after the cut from the context's mask to this one: zero where the cut has pruned. From the first
    weight of an output to the last, each pruned one is made up for by those after it (alg. 1), of which the mask then
    prunes some. So with a mask that others have chosen, outputs may change more than without an update. Takes the
    options of ``sparsegpt``."""
    import torch

    weights = {}
    for name, weight, factors in _factors(context, batches, batch_size, damping):
        gone = ~mask[name].to(weight.device).reshape(weight.shape)
        for i in range(weight.shape[2]):
            errors = torch.where(gone[:, :, i], weight[:, :, i], 0) / factors[:, None, i, i]
            weight[:, :, i:] -= errors[:, :, None] * factors[:, None, i, i:]
        old = context.weights[name]
        weights[name] = weight.masked_fill(gone, 0).reshape(old.shape).to(old.dtype)
    return weights


def _factors(
    context: "Context", batches: int, batch_size: int, damping: float
) -> "Iterator[tuple[str, Tensor, Tensor]]":
    """For each layer its name, its weights [groups, outputs of a group, d], zero where they meet zeros only, and U of
    each group [groups, d, d]; both float64."""
    import torch

    from winnow.autograd.input_grams import input_grams

    def grams(network: "nn.Module", inputs: "Tensor") -> "dict[str, Tensor]":
        return {name: gram.double() / len(inputs) for name, gram in input_grams(network, inputs).items()}

    for name, weight in context.weights.items():  # one at a time, as a layer's take much memory
        hessian = 2 * context.only(name).mean_of_layers(grams, "sparsegpt", batches, batch_size)[name]
        flat = weight.double().reshape(len(hessian), -1, hessian.shape[1]).clone()
        diagonal = hessian.diagonal(dim1=1, dim2=2)
        dead = diagonal == 0
        diagonal[dead] = 1
        diagonal += damping * diagonal.mean(1, keepdim=True)
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(hessian))
        yield name, flat.masked_fill(dead[:, None], 0), torch.linalg.cholesky(inverse, upper=True)
