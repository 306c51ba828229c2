"""The herding of iCaRL. Its script has no function for it, so this runs the lines between two of its comments."""

import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from authors.cases import Case, Compare, Images, unit
from winnow.selection.methods.herding import herd


def load(folder: Path) -> Compare:
    script = (folder / "iCaRL-TheanoLasagne" / "main_cifar_100_theano.py").read_text(encoding="utf-8").splitlines()
    marks = [line.strip() for line in script]
    own = script[marks.index("# Herding") : marks.index("# Prepare the protoset")]
    lines = compile(textwrap.dedent("\n".join(own)), "iCaRL", "exec")

    def order_of(features: np.ndarray, count: int) -> np.ndarray:
        ranks = np.zeros((1, len(features), 1))
        given = {"np": np, "nb_cl": 1, "iteration": 0, "nb_protos_cl": count, "prototypes": [features]}
        given |= {"alpha_dr_herding": ranks, "function_map": lambda rows: [rows.astype(np.float64)]}
        exec(lines, given)  # noqa: S102 (a clone that the user names)
        taken = np.flatnonzero(ranks[0, :, 0])
        return taken[np.argsort(ranks[0, taken, 0])]

    def compare(images: Images) -> Iterator[Case]:
        features = unit(images.features.astype(np.float64)).astype(np.float32)
        mine, theirs, repeats = [], [], []
        for rows, count in images.groups():
            mine.append(rows[herd(features[rows], count)])
            theirs.append(rows[order_of(features[rows], count)])
            repeats.append(rows[_with_repeats(unit(features[rows].astype(np.float64)), count)])
        alike = sum(own.tolist() == other.tolist() for own, other in zip(mine, theirs, strict=True))
        own, other, again = (np.concatenate(found) for found in (mine, theirs, repeats))
        why = f"it may take an image again, which then counts twice; the same in {alike} of {images.classes} classes"
        yield Case("herding", "iCaRL", "features of length 1 for both", why, own, other, ordered=True)
        change = "herding that may take an image again in place of ours"
        yield Case("herding", "iCaRL", change, "", again, other, ordered=True)

    return compare


def _with_repeats(features: np.ndarray, count: int) -> list[int]:
    """Herding that may take an image again: what it takes for the first time, in order."""
    mean, total, order, step = features.mean(axis=0), np.zeros(features.shape[1]), [], 0
    while len(order) < count:
        step += 1
        best = int((((total + features) / step - mean) ** 2).sum(axis=1).argmin())
        total = total + features[best]
        order += [] if best in order else [best]
    return order
