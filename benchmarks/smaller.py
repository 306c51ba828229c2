"""Times a network without half of its multiplications against the dense one, by turns.

    python benchmarks/smaller.py [--network resnet20] [--turns 10] [--out .bench/smaller.json]

Whole channels are pruned by the norms of their filters, in multiples of 8 and by the same fraction of every group, with
weights as at the initialisation: what they are does not change the time. Processor time of one thread, batches of 1 and
128 images of 3 x 32 x 32 of noise. The masked network has the same zeros in the dense layers; the thinnest has one
channel in its first layer, and shows what a call costs without arithmetic.
"""

import argparse
import copy
import json
import statistics
import time
from pathlib import Path

import torch
from safetensors.torch import save
from timing import ratio, take_turns

import winnow
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.pruning.allocations.uniform import uniform
from winnow.pruning.context import Context
from winnow.pruning.criteria.filter_norm import filter_norm
from winnow.pruning.masks import apply, count_left, ones
from winnow.pruning.multiplications import multiplications, positions
from winnow.pruning.structures.channels import channels

SHAPE, TARGET = (3, 32, 32), 1.6


@torch.inference_mode()
def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="resnet20")
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path(".bench/smaller.json"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    dense = initialise(Network(name=given.network), 10, SHAPE, seed=0).eval()
    draws = torch.Generator().manual_seed(0)
    images = torch.randn(128, *SHAPE, generator=draws)
    with torch.inference_mode(False):
        context = Context(dense, ones(dense), lambda count, size: [(torch.zeros(size, *SHAPE), torch.zeros(size))])
        left = count_left(context.mask) // 2
        mask = channels(filter_norm(context), context.mask, context, left, uniform, of="multiplications", multiple=8)
        small, masked = winnow.smaller(dense, mask, torch.zeros(1, *SHAPE)), copy.deepcopy(dense)
        masked.load_state_dict(apply(dense.state_dict(), mask))
    thinnest = initialise(Network(name=given.network, width=1), 10, SHAPE, seed=0).eval()
    networks = {"dense": dense, "masked": masked, "smaller": small, "thinnest": thinnest}
    facts = {
        name: {
            "multiplications": multiplications(ones(network), positions(network, images[:1])),
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "bytes": len(save(network.state_dict())),
        }
        for name, network in networks.items()
    }
    error = float((small(images) - masked(images)).abs().max())
    print(f"{given.network}, torch {torch.__version__}, 1 thread, largest difference of outputs {error:.1e}")
    found = {}
    for size in (1, 128):
        batch, repeats = images[:size].contiguous(), max(1, 16 // size)

        def call(name: str, batch: torch.Tensor = batch, repeats: int = repeats) -> None:
            for _ in range(repeats):
                networks[name](batch)

        seconds = take_turns({name: lambda name=name: call(name) for name in networks}, given.turns, time.process_time)
        for name, fact in facts.items():
            fact[f"milliseconds_{size}"] = 1000 * statistics.median(seconds[name]) / repeats
        found[f"batch_{size}"] = ratio(seconds["dense"], seconds["smaller"], TARGET)
    for name, fact in facts.items():
        print(name, {key: round(value, 2) for key, value in fact.items()})
    for name, r in found.items():
        spread = f"{r['lower_quartile']:.2f} to {r['upper_quartile']:.2f}"
        print(f"{name}: {r['median']:.2f} times as fast ({spread}), {TARGET} wanted")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({"networks": facts, "ratios": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
