"""Chooses with DeepCore's and the authors' own code beside ours, from the same features, outputs and scores.

    git clone https://github.com/PatrickZH/DeepCore
    git clone https://github.com/srebuffi/iCaRL
    git clone https://github.com/baharanm/craig
    git clone https://github.com/decile-team/cords
    git clone https://github.com/haizhongzheng/Coverage-centric-coreset-selection ccs
    git clone https://github.com/adymaharana/d2pruning
    git clone https://github.com/tmllab/2023_ICLR_Moderate-DS moderate
    python benchmarks/agreement.py [--deepcore FOLDER] [--icarl FOLDER] [--craig FOLDER] [--cords FOLDER]
        [--ccs FOLDER] [--d2 FOLDER] [--moderate FOLDER] [--seeds 3] [--out .bench/agreement.json]

Each option is a clone, and code without a clone is left out. 600 made-up images of 6 classes for each seed, and 600 of
scikit-learn's handwritten digits with the features and outputs of a network that trained for a second. A tenth is kept.

For every method and code it prints how many images both keep, and whether the subsets are the same. Where both give the
order of their choices, it compares the orders too. Where their code disagrees as it is, further lines change one thing
after the other. If the subsets are then the same, these things were the reason. No file of theirs is changed: classes
of DeepCore get a network that hands on the given features, a function within one of their modules is replaced while it
runs, and what a file imports for other purposes and is not installed (matplotlib, tensorflow) has a stand-in.
"""

import argparse
import contextlib
import io
import json
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from authors import ccs, cords, craig, d2, deepcore, icarl, moderate
from authors.cases import UNEVEN, Case, Compare, digits, made_up

CODES: dict[str, Callable[[Path], Compare]] = {
    "deepcore": deepcore.load,
    "icarl": icarl.load,
    "craig": craig.load,
    "cords": cords.load,
    "ccs": ccs.load,
    "d2": d2.load,
    "moderate": moderate.load,
}
SLIPS = {"deepcore": deepcore.slips, "moderate": moderate.slips}
ALIKE = 1e-5  # weights, whose mean is 1


def judged(case: Case) -> dict[str, Any]:
    ours, theirs = ([int(row) for row in rows] for rows in (case.ours, case.theirs))
    found: dict[str, Any] = {"ours": len(ours), "theirs": len(theirs), "both": len(set(ours) & set(theirs))}
    found["same"] = sorted(ours) == sorted(theirs)
    if case.ordered:
        found["same_order"] = ours == theirs
    if case.weights and found["same"]:
        mine, other = (own[np.argsort(rows)] for own, rows in zip(case.weights, (ours, theirs), strict=True))
        found["weights_differ_by"] = float(np.abs(mine - other).max())
    found["agrees"] = found["same"] and found.get("same_order", True) and found.get("weights_differ_by", 0) < ALIKE
    return found


def line(case: Case, found: dict[str, Any]) -> str:
    said = "the same" if found["same"] else f"{found['both']} of {found['ours']} and {found['theirs']}"
    if found["same"] and "same_order" in found:
        said += ", in the same order" if found["same_order"] else ", in another order"
    if "weights_differ_by" in found:
        said += f", weights differ by {found['weights_differ_by']:.1g}"
    why = f" ({case.why})" if case.why and not found["agrees"] else ""
    return f"  {case.method}, {case.code}{', ' if case.change else ''}{case.change}: {said}{why}"


def commit(folder: Path) -> str:
    command = ["git", "-C", str(folder), "rev-parse", "--short=7", "HEAD"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    """Compare, print, and write what was found."""
    parser = argparse.ArgumentParser(description="Our selection beside the authors' own code.")
    for name in CODES:
        parser.add_argument(f"--{name}", type=Path, metavar="FOLDER", help="a clone of this repository")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path(".bench/agreement.json"))
    given = parser.parse_args()
    warnings.simplefilter("ignore")  # theirs are of old versions of torch and numpy
    every = [*(made_up(seed) for seed in range(given.seeds)), digits()]
    results: dict[str, Any] = {"images": [images.name for images in every], "commits": {}, "cases": [], "slips": {}}

    def note(images: str, cases: Iterator[Case]) -> None:
        print(f"{images}:", flush=True)
        with contextlib.redirect_stdout(io.StringIO()):
            of_these = list(cases)
        for case in of_these:
            found = judged(case)
            print(line(case, found), flush=True)
            about = {"method": case.method, "code": case.code, "change": case.change, "why": case.why}
            results["cases"].append({"images": images, **about, **found})

    for name, load in CODES.items():
        folder = getattr(given, name)
        if folder is None:
            print(f"{name}: left out, as --{name} names no clone", flush=True)
            continue
        results["commits"][name] = commit(folder)
        compare = load(folder.resolve())
        for images in every:
            note(images.name, compare(images))
        if name == "deepcore":
            uneven = made_up(0, UNEVEN, "classes of other sizes")
            note(uneven.name, deepcore.rounding(folder.resolve(), uneven))
        if name in SLIPS:
            with contextlib.redirect_stdout(io.StringIO()):
                results["slips"] |= SLIPS[name](folder.resolve())
    for slip, true in results["slips"].items():
        print(f"{slip}: {'yes' if true else 'no'}")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
