"""Times the policies of selection, against apricot's and DeepCore's code, and shows how their cost grows with n.

    pip install '.[bench]'
    git clone https://github.com/PatrickZH/DeepCore
    python benchmarks/selection.py [--images 50000] [--keep 0.1] [--grow 10000 100000 1000000]
        [--square 10000 20000 40000] [--count 1000] [--turns 3] [--deepcore FOLDER] [--only 1 2 3] [--policies NAME ...]
        [--out .bench/selection.json]

1. Every policy on noise around ten class centres, rectified as features are, 64 numbers an image. Each in a process of
   its own, whose memory is what it takes at its peak beside what it held before.
2. k-center against DeepCore's, and facility location of every class against apricot's (facilityLocationSelection, lazy
   greedy) and DeepCore's (lazy greedy), for the same similarities. They take turns in one process. DeepCore is left out
   without a folder that holds a clone of its repository.
3. How the cost of every policy grows with n, for --count images: of those that claim a cost linear in n, or n log n,
   for each n of --grow; of those with a cost like the square, for each of --square. Seconds are of the processor, and
   the exponent is that from one n to the next: 1 is linear. Each choice is in a fork of the process that has the
   images.
"""

import argparse
import contextlib
import io
import json
import multiprocessing
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
from winnow.selection.evidence import Given, HeldOut
from winnow.selection.methods.facility_location import facility_location
from winnow.selection.methods.k_center import farthest_first

CLASSES, DIMENSIONS, FASTER = 10, 64, 5.0
POLICIES = ("ranked", "ccs", "moderate", "herding", "k_center", "graph_cut", "facility_location", "craig")
GROW = ("ranked", "ccs", "paser", "drop", "adaptive_score", "label_mapping", "moderate", "herding", "graph_cut",
        "gradmatch", "glister", "density", "feature_mapping", "k_center", "search_and_prune")  # fmt: skip
SQUARE = ("facility_location", "craig", "d2", "deduplicated")
OTHERS = 1000  # validation images, and images of a target


def images(count: int) -> Given:
    """Labels, two scores, features and outputs of so many images, and of validation images, and of a target's."""
    rng = np.random.default_rng(0)
    labels = rng.integers(CLASSES, size=count)
    centres = rng.normal(size=(CLASSES, DIMENSIONS)).astype(np.float32)
    features = around(centres[labels], rng)
    weights = rng.normal(size=(DIMENSIONS, CLASSES), scale=0.3).astype(np.float32)
    scores = {"el2n": rng.random(count), "loss": rng.exponential(size=count)}
    others = rng.integers(CLASSES, size=OTHERS)
    held_out, target = (around(centres[others], rng) for _ in range(2))
    return Given(
        labels,
        CLASSES,
        scores,
        features,
        log_softmax(features @ weights),
        log_softmax(target @ weights),
        target,
        HeldOut(others, log_softmax(held_out @ weights), held_out),
    )


def around(centres: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rectified noise around the centres [n, d]; it takes their place."""
    centres += rng.standard_normal(size=centres.shape, dtype=np.float32)
    return np.maximum(centres, 0, out=centres)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def measure(name: str, count: int, size: int) -> dict[str, float]:
    """Seconds of one choice, and MiB that it takes at its peak, in a process of its own."""
    command = [sys.executable, __file__, "--one", name, str(count), str(size)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def taken(evidence: Given, name: str, size: int) -> dict[str, float]:
    """What one choice takes in this process: wall and processor seconds, and MiB at the peak beside what it has now."""
    usual = {"epoch": 0, "score": "el2n", "scores": ["el2n", "loss"]}
    given = {option: value for option, value in usual.items() if option in options(method(name))}
    choose(images(200), name, given, 20, 0)  # imports and the library's own buffers
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    processor = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        choose(evidence, name, given, size, 0)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10
    return {"seconds": seconds, "processor": processor, "MiB": peak}


def taken_in_a_fork(evidence: Given, name: str, size: int) -> dict[str, float]:
    """The same in a fork of this process, so that the images need not be made again."""
    forks = multiprocessing.get_context("fork")
    ours, theirs = forks.Pipe(duplex=False)
    process = forks.Process(target=lambda: theirs.send(taken(evidence, name, size)))
    process.start()
    theirs.close()  # so that a fork that fails ends the wait
    found: dict[str, float] = ours.recv()
    process.join()
    return found


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


def grow(policies: tuple[str, ...], counts: list[int], kept: int) -> dict[str, Any]:
    """What each policy takes at each of these counts, and the exponent of its time from the one before."""
    found: dict[str, Any] = {name: {} for name in policies}
    for count in counts if policies else ():
        evidence = images(count)
        for name in policies:
            found[name][count] = own = taken_in_a_fork(evidence, name, min(kept, count))
            before = next((other for other in reversed(found[name]) if other < count), None)
            grown = ""
            if before:
                times = own["processor"] / found[name][before]["processor"]
                own["exponent"] = float(np.log(times) / np.log(count / before))
                grown = f"; exponent {own['exponent']:.2f} from {before:,}"
            print(f"{name}, {kept:,} of {count:,}: {own['processor']:.2f} s, {own['MiB']:.0f} MiB{grown}", flush=True)
    return found


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description="The policies of selection: time, memory, and others' code.")
    parser.add_argument("--images", type=int, default=50_000, help="of parts 1 and 2")
    parser.add_argument("--keep", type=float, default=0.1, help="the fraction to keep, in parts 1 and 2")
    parser.add_argument("--grow", type=int, nargs="*", default=[10_000, 100_000, 1_000_000], help="images of part 3")
    parser.add_argument("--square", type=int, nargs="*", default=[10_000, 20_000, 40_000], help="likewise")
    parser.add_argument("--count", type=int, default=1000, help="images to keep, in part 3")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--deepcore", type=Path, help="a clone of DeepCore's repository")
    parser.add_argument("--out", type=Path, default=Path(".bench/selection.json"))
    parser.add_argument("--only", type=int, nargs="+", default=[1, 2, 3], choices=[1, 2, 3], help="parts to measure")
    parser.add_argument("--policies", nargs="+", default=[*GROW, *SQUARE], help="of part 3")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        name, count, size = given.one[0], int(given.one[1]), int(given.one[2])
        sys.stdout.write(json.dumps(taken(images(count), name, size)))
        return
    size = round(given.keep * given.images)
    results: dict[str, Any] = {}
    if 1 in given.only:
        results["policies"] = {}
        for name in POLICIES:
            results["policies"][name] = found = measure(name, given.images, size)
            print(f"{name}, {size} of {given.images}: {found['seconds']:.2f} s, {found['MiB']:.0f} MiB", flush=True)
    if 2 in given.only:
        results["others"] = compare(images(given.images), size, given.turns, given.deepcore)
    if 3 in given.only:
        results["growth"] = {}
        for policies, counts in ((GROW, given.grow), (SQUARE, given.square)):
            asked = tuple(name for name in policies if name in given.policies)
            results["growth"] |= grow(asked, counts, given.count)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
