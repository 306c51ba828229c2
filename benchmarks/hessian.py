"""Times Hessian-vector products and eigenvalues against the package pyhessian, all in one run, and prints ratios.

    pip install '.[bench]'
    python benchmarks/hessian.py [--quick] [--out .bench/hessian.json]

One batch of a ResNet-20, all of its weights, in evaluation mode. The alternatives take turns, so that whatever else the
machine does meets them all alike; a ratio is that of two neighbouring measurements, given as the median and the
quartiles of all turns. Of the products, those after the first are timed: either side makes the gradient's computation
once, and keeps it. The eigenvalues are timed from the network on. pyhessian's power iteration takes one after the
other, each until two estimates in a row differ by less than the tolerance, relatively; ARPACK takes all at once, each
until |H v - lambda v| is less than the tolerance times lambda. That is stricter, so the errors are printed too, against
eigenvalues to a tolerance of 1e-6; those of products are against pyhessian's in float64. Images are noise of CIFAR's
shape. The network has had ten steps on them, after which the eigenvalues of largest magnitude, which pyhessian finds,
are the largest ones, which are asked for.
"""

import argparse
import copy
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from timing import ratio, take_turns
from torch import Tensor, nn
from torch.nn import functional

from winnow.landscape.batch_norm import recalibrate_on
from winnow.landscape.hessian import Product, hessian_product, top_eigenpairs
from winnow.landscape.live import count, live_entries, scatter
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.training.batches import DeviceImages, normalise

try:
    from pyhessian import hessian as PyHessian
except ImportError:
    sys.exit("error: benchmarks/hessian.py times against pyhessian: pip install '.[bench]'")

SHAPE, CLASSES = (3, 32, 32), 10
TOLERANCE = 1e-3  # of the eigenvalues, pyhessian's default


def example(n: int) -> tuple[nn.Module, DeviceImages]:
    """A network in evaluation mode, and the n images on which it has had ten steps of SGD."""
    draws = torch.Generator().manual_seed(0)
    images = DeviceImages(
        pixels=torch.randint(256, (n, *SHAPE), generator=draws, dtype=torch.uint8),
        labels=torch.randint(CLASSES, (n,), generator=draws),
        scale=torch.full((1, 3, 1, 1), 1 / 74),
        shift=torch.full((1, 3, 1, 1), -1.73),
    )
    network = initialise(Network(name="resnet20"), CLASSES, SHAPE, seed=0)
    optimiser, inputs = torch.optim.SGD(network.parameters(), 0.05, momentum=0.9), normalise(images.pixels, images)
    for _ in range(10):
        optimiser.zero_grad()
        functional.cross_entropy(network(inputs), images.labels).backward()
        optimiser.step()
    optimiser.zero_grad()
    recalibrate_on(network.eval(), images)
    return network, images


def theirs(network: nn.Module, images: DeviceImages) -> PyHessian:
    # as its users would have it: the images are not in channels_last memory
    dtype = next(network.parameters()).dtype
    inputs = normalise(images.pixels, images).contiguous().to(dtype)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using backward.. with create_graph")
        return PyHessian(copy.deepcopy(network), functional.cross_entropy, data=(inputs, images.labels), cuda=False)


def their_product(network: nn.Module, images: DeviceImages) -> Product:
    """What pyhessian does for each product (pyhessian.utils.hessian_vector_product)."""
    made, live = theirs(network, images), live_entries(network, {})

    def product(vector: Tensor) -> Tensor:
        parts = list(scatter(vector.to(made.params[0].dtype), live).values())
        found = torch.autograd.grad(made.gradsH, made.params, parts, only_inputs=True, retain_graph=True)
        return torch.cat([part.flatten() for part in found]).double()

    return product


def our_product(network: nn.Module, images: DeviceImages) -> Product:
    return hessian_product(network, images.batches(128), live_entries(network, {}))


def time_products(n: int, turns: int) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Seconds of a product over n images by either way, and its relative error against pyhessian in float64."""
    network, images = example(n)
    vector = torch.randn(count(live_entries(network, {})), generator=torch.Generator().manual_seed(1)).double()
    products = {"pyhessian": their_product(network, images), "winnow": our_product(network, images)}
    exact = their_product(copy.deepcopy(network).double(), images)(vector)
    errors = {name: float((product(vector) - exact).norm() / exact.norm()) for name, product in products.items()}
    calls = {name: lambda product=product: product(vector) for name, product in products.items()}
    return take_turns(calls, turns), errors  # type: ignore[arg-type]


def time_eigenvalues(n: int, k: int, turns: int) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Seconds until the k largest eigenvalues over n images by either way, and the largest relative error of them."""
    network, images = example(n)
    size = count(live_entries(network, {}))
    found: dict[str, np.ndarray] = {}

    def by_power_iteration() -> None:
        torch.manual_seed(0)
        found["pyhessian"] = np.sort(theirs(network, images).eigenvalues(top_n=k, tol=TOLERANCE)[0])[::-1]

    def by_lanczos() -> None:
        found["winnow"] = top_eigenpairs(our_product(network, images), size, k, TOLERANCE)[0]

    seconds = take_turns({"pyhessian": by_power_iteration, "winnow": by_lanczos}, turns)
    exact = top_eigenpairs(our_product(network, images), size, k, 1e-6)[0]
    return seconds, {name: float(np.abs(values / exact - 1).max()) for name, values in found.items()}


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description="Time Hessian-vector products and eigenvalues against pyhessian.")
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--out", type=Path, default=Path(".bench/hessian.json"))
    options = parser.parse_args()
    batch, small, k = 128, 16, 5
    products, product_errors = time_products(batch, 3 if options.quick else 9)
    eigenvalues, eigenvalue_errors = time_eigenvalues(small, k, 1 if options.quick else 3)
    results = {
        f"products, {batch} images: rate over pyhessian": ratio(products["pyhessian"], products["winnow"], 1.0),
        f"{k} eigenvalues, {small} images: rate over pyhessian": ratio(
            eigenvalues["pyhessian"], eigenvalues["winnow"], 1.0
        ),
    }
    errors = {"product": product_errors, f"{k} eigenvalues": eigenvalue_errors}

    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, resnet20")
    for name, r in results.items():
        spread = f"{r['lower_quartile']:.2f} to {r['upper_quartile']:.2f}"
        print(f"{name:46} {r['median']:7.2f}   {spread:16} best {r['best']:6.2f}   (target {r['target']:g})")
    for name, e in errors.items():
        print(f"{name}: relative error {e['winnow']:.1e}   pyhessian {e['pyhessian']:.1e}")

    options.out.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "ratios": results,
        "relative_error": errors,
        "seconds": {"product": products, "eigenvalues": eigenvalues},
    }
    options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
