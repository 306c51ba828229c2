"""The Hessian of a network's mean loss with respect to its live weights: products with vectors, its largest
eigenvalues, its trace. The matrix itself, [weights, weights], is never made.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import torch
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from torch import Tensor, nn
from torch.nn import functional

from winnow.autograd.double_backward import CheapSecondDerivatives
from winnow.landscape.live import count, gather, scatter
from winnow.streams import numpy_stream
from winnow.training.batches import Batches

Product = Callable[[Tensor], Tensor]  # of a symmetric matrix with a vector: float64 [size] to float64 [size]


def hessian_product(
    network: nn.Module,
    batches: Batches,
    live: Mapping[str, Tensor],
    keep_bytes: int = 4 * 2**30,
) -> Product:
    """The product of a vector with the Hessian of the mean cross-entropy over all batches, in evaluation mode: batch
    norm uses fixed running statistics, and dropout is off.

    live: bool tensors by parameter name (live.live_entries). The Hessian is over their True entries, in the order of
    live.gather. The product takes a float vector [size] on any device, and returns float64 [size] on the network's
    device. Derivatives are exact up to rounding (Pearlmutter 1994; here by differentiating the computation of the
    gradient). The derivatives of rectifiers at 0 are taken to be 0. The function copies the network: it does not change
    it, and later changes to it do not count.

    For the first batches, as many as fit in ``keep_bytes``, the graph of the gradient is kept for all products. For the
    other batches every product builds it again. This does not change any result.
    """
    network = copy.deepcopy(network).eval().to(memory_format=torch.channels_last)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in live)
    parameters = dict(network.named_parameters())
    weights = [parameters[name] for name in live]
    device, dtype, size = weights[0].device, weights[0].dtype, count(live)
    examples = sum(len(batches[place][1]) for place in range(len(batches)))

    def gradients(place: int) -> list[Tensor]:
        """A batch's contribution to the gradient of the mean loss, with a graph to differentiate it again."""
        inputs, labels = batches[place]
        with torch.enable_grad(), _single_precision():
            with CheapSecondDerivatives():
                logits = network(inputs.to(dtype) if inputs.is_floating_point() else inputs)
            loss = functional.cross_entropy(logits, labels, reduction="sum") / examples
            return list(torch.autograd.grad(loss, weights, create_graph=True, materialize_grads=True))

    kept: list[list[Tensor]] = []
    room = keep_bytes
    for place in range(len(batches)):
        with _bytes_saved() as saved:
            graph = gradients(place)
        room -= sum(saved.values())
        if room < 0:
            break
        kept.append(graph)

    def product(vector: Tensor) -> Tensor:
        parts = list(scatter(vector.to(device, dtype), live).values())
        total = torch.zeros(size, dtype=torch.float64, device=device)
        for place in range(len(batches)):
            graph = kept[place] if place < len(kept) else gradients(place)
            varying = [(gradient, part) for gradient, part in zip(graph, parts, strict=True) if gradient.requires_grad]
            outputs, vectors = zip(*varying, strict=True)
            with _single_precision():
                found = torch.autograd.grad(outputs, weights, vectors, retain_graph=True, materialize_grads=True)
            total += gather(dict(zip(live, found, strict=True)), live)
        return total

    return product


@contextmanager
def _bytes_saved() -> Iterator[dict[int, int]]:
    """The size of every storage that autograd saves within the block, by its address."""
    sizes: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        yield sizes


def _single_precision() -> AbstractContextManager[None]:
    """On CUDA devices: convolutions without TF32, whose ten-bit mantissa drowns small eigenvalues, and with
    deterministic algorithms."""
    return torch.backends.cudnn.flags(benchmark=False, deterministic=True, allow_tf32=False)


def top_eigenpairs(
    product: Product, size: int, k: int, tolerance: float = 1e-4, seed: int = 0, restarts: int = 100
) -> tuple[np.ndarray, Tensor]:
    """The k largest eigenvalues [k] of a symmetric matrix, the largest first, and their unit eigenvectors [k, size].

    Largest means algebraically: large negative eigenvalues do not count. Implicitly restarted Lanczos iteration
    (ARPACK, Lehoucq, Sorensen, Yang 1998) in float64 begins at a vector drawn by the seed. It stops when |H v - lambda
    v| is at most the tolerance times |lambda| for each pair, which also bounds the error of lambda.

    Raises ValueError if the iteration does not converge, or unless 0 < k < size.
    """
    if not 0 < k < size:
        raise ValueError(f"k: {k} eigenvalues of a Hessian of {size} live weights: must be from 1 to {size - 1}")
    draws = numpy_stream(seed, "hessian")
    operator = LinearOperator(
        (size, size), matvec=lambda v: product(torch.from_numpy(v.reshape(-1))).cpu().numpy(), dtype=np.float64
    )
    try:
        values, vectors = eigsh(
            operator, k, which="LA", v0=draws.normal(size=size), tol=tolerance, maxiter=restarts, rng=draws
        )
    except ArpackNoConvergence as error:
        raise ValueError(
            f"k: only {len(error.eigenvalues)} of the {k} largest eigenvalues of the Hessian reached the tolerance "
            f"{tolerance:g} within {restarts} restarts: ask for fewer, raise the tolerance, or the number of restarts"
        ) from None
    order = values.argsort()[::-1]
    return values[order], torch.from_numpy(vectors.T[order].copy())


def trace(product: Product, size: int, probes: int, seed: int = 0) -> tuple[float, float]:
    """An estimate of the trace of a symmetric matrix, and its standard error, which is nan for one probe.

    The estimate is the mean of v' H v over vectors v of random signs (Hutchinson 1990). The variance of v' H v is 2
    (|H|^2 - sum of H_ii^2).
    """
    forms = []
    for index in range(probes):
        signs = random_signs(size, seed, index)
        forms.append(float(signs @ product(signs).cpu()))
    error = float(np.std(forms, ddof=1) / np.sqrt(probes)) if probes > 1 else float("nan")
    return float(np.mean(forms)), error


def random_signs(size: int, seed: int, index: int) -> Tensor:
    """A vector [size] of +1 and -1, float64."""
    return torch.from_numpy(numpy_stream(seed, "hessian", index).integers(0, 2, size) * 2.0 - 1)
