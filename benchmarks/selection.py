"""Times the policies of selection, against apricot's and DeepCore's code, and shows how their cost grows with n.

    pip install '.[bench]'
    git clone https://github.com/PatrickZH/DeepCore
    python benchmarks/selection.py [--images 50000] [--keep 0.1] [--grow 10000 100000 1000000] [--count 1000]
        [--turns 3] [--deepcore FOLDER] [--out .bench/selection.json]

1. Every policy on noise around ten class centres, rectified as features are, 64 numbers an image. Each in a process of
   its own, whose memory is what it takes at its peak beside what it held before.
2. k-center against DeepCore's, and facility location of every class against apricot's (facilityLocationSelection, lazy
   greedy) and DeepCore's (lazy greedy), for the same similarities. They take turns in one process. DeepCore is left out
   without a folder that holds a clone of its repository.
3. The policies whose cost is linear in n, or n log n: for each n of --grow, --count images.
"""

import argparse
import contextlib
import io
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from timing import ratio, take_turns

from winnow.counts import parts
from winnow.params.options import options
from winnow.selection.choose import choose, method
from winnow.selection.evidence import Given
from winnow.selection.methods.facility_location import facility_location
from winnow.selection.methods.k_center import farthest_first

CLASSES, DIMENSIONS, FASTER = 10, 64, 5.0
POLICIES = ("ranked", "ccs", "moderate", "herding", "k_center", "graph_cut", "facility_location", "craig")
GROW = ("ranked", "ccs", "moderate", "herding", "k_center", "graph_cut")


def images(count: int) -> Given:
    """Labels, a score, features and outputs of so many images."""
    rng = np.random.default_rng(0)
    labels = rng.integers(CLASSES, size=count)
    features = rng.normal(size=(CLASSES, DIMENSIONS)).astype(np.float32)[labels]
    features += rng.standard_normal(size=(count, DIMENSIONS), dtype=np.float32)
    np.maximum(features, 0, out=features)
    logits = features @ rng.normal(size=(DIMENSIONS, CLASSES), scale=0.3).astype(np.float32)
    outputs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return Given(labels, CLASSES, {"el2n": rng.random(count)}, features, outputs)


def measure(name: str, count: int, size: int) -> dict[str, float]:
    """Seconds of one choice, and MiB that it takes at its peak, in a process of its own."""
    command = [sys.executable, __file__, "--one", name, str(count), str(size)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def _measure(name: str, count: int, size: int) -> None:
    evidence, usual = images(count), {"epoch": 0, "score": "el2n"}
    given = {option: value for option, value in usual.items() if option in options(method(name))}
    choose(images(200), name, given, 20, 0)  # imports and the library's own buffers
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    choose(evidence, name, given, size, 0)
    seconds = time.perf_counter() - start
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10
    sys.stdout.write(json.dumps({"seconds": seconds, "MiB": peak}))


def similarities(features: np.ndarray) -> np.ndarray:
    """(1 + cosine)/2, as ours and DeepCore's."""
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    return (1 + unit @ unit.T) / 2


def by_apricot(choice: type, evidence: Given, size: int) -> None:
    for rows, count in parts(size, evidence.labels, evidence.classes, per_class=True):
        given = similarities(evidence.features(0)[rows])
        choice(count, metric="precomputed", optimizer="lazy").fit(given)


def of_deepcore(folder: Path, evidence: Given, size: int) -> dict[str, dict[str, Callable[[], object]]]:
    """Its k-center and its facility location."""
    sys.path.insert(0, str(folder))
    import torch
    from deepcore.methods.kcentergreedy import k_center_greedy
    from deepcore.methods.methods_utils import FacilityLocation
    from deepcore.methods.methods_utils.euclidean import euclidean_dist
    from deepcore.methods.methods_utils.submodular_optimizer import LazyGreedy

    def k_center() -> None:
        k_center_greedy(torch.from_numpy(evidence.features(0)), size, euclidean_dist, "cpu", 0, already_selected=[])

    def facilities() -> None:
        for rows, count in parts(size, evidence.labels, evidence.classes, per_class=True):
            given = FacilityLocation(index=rows, similarity_matrix=similarities(evidence.features(0)[rows]))
            greedy = LazyGreedy(SimpleNamespace(print_freq=10**9), rows, count)
            greedy.select(given.calc_gain, given.update_state)

    def quietly(work: Callable[[], None]) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            work()

    return {
        "k_center": {"DeepCore": partial(quietly, k_center)},
        "facility_location": {"DeepCore": partial(quietly, facilities)},
    }


def compare(evidence: Given, size: int, turns: int, deepcore: Path | None) -> dict[str, Any]:
    """How many times as fast as the others' code ours is."""
    try:
        from apricot import FacilityLocationSelection
    except ImportError:
        sys.exit("error: benchmarks/selection.py compares with apricot: pip install '.[bench]'")
    rng = np.random.default_rng(0)
    ours = {
        "k_center": lambda: farthest_first(evidence.features(0), size),
        "facility_location": lambda: facility_location(evidence, size, rng, epoch=0),
    }
    others = of_deepcore(deepcore, evidence, size) if deepcore else {"k_center": {}, "facility_location": {}}
    others["facility_location"]["apricot"] = partial(by_apricot, FacilityLocationSelection, evidence, size)
    found: dict[str, Any] = {}
    for name, theirs in others.items():
        if theirs:
            seconds = take_turns({"ours": ours[name], **theirs}, turns)
            found[name] = {"seconds": seconds}
            for other in theirs:
                found[name][other] = ratio(seconds[other], seconds["ours"], FASTER)
                print(
                    f"{name}, {size} images: {min(seconds['ours']):.1f} s; {other} {min(seconds[other]):.1f} s; "
                    f"{found[name][other]['median']:.1f} times as fast (target {FASTER:g})",
                    flush=True,
                )
    return found


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description="The policies of selection: time, memory, and others' code.")
    parser.add_argument("--images", type=int, default=50_000, help="of parts 1 and 2")
    parser.add_argument("--keep", type=float, default=0.1, help="the fraction to keep, in parts 1 and 2")
    parser.add_argument("--grow", type=int, nargs="*", default=[10_000, 100_000, 1_000_000], help="images of part 3")
    parser.add_argument("--count", type=int, default=1000, help="images to keep, in part 3")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--deepcore", type=Path, help="a clone of DeepCore's repository")
    parser.add_argument("--out", type=Path, default=Path(".bench/selection.json"))
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        _measure(given.one[0], int(given.one[1]), int(given.one[2]))
        return
    size = round(given.keep * given.images)
    results: dict[str, Any] = {"policies": {}, "growth": {}}
    for name in POLICIES:
        results["policies"][name] = found = measure(name, given.images, size)
        print(f"{name}, {size} of {given.images}: {found['seconds']:.2f} s, {found['MiB']:.0f} MiB", flush=True)
    results["others"] = compare(images(given.images), size, given.turns, given.deepcore)
    for name in GROW:
        results["growth"][name] = {count: measure(name, count, min(given.count, count)) for count in given.grow}
        shown = [
            f"{n}: {found['seconds']:.2f} s, {found['MiB']:.0f} MiB" for n, found in results["growth"][name].items()
        ]
        print(f"{name}, {given.count} of {'; '.join(shown)}", flush=True)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
