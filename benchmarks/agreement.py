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
scikit-learn's handwritten digits with the features and outputs of a network trained for some seconds. A tenth is kept.

For every method and code: how many images both keep, whether the subsets are the same, and, where both say in which
order they chose, the first place at which the orders differ. Where the code disagrees as it is, further lines change
one thing at a time, which is the reason if the subsets are then the same. No file of theirs is changed. Classes of
DeepCore get a network that hands on the given features. What an authors' file imports for other purposes and is not
installed (matplotlib, tensorflow) is replaced by a stand-in. The herding of iCaRL, which is no function, is run as the
lines of its script.
"""

import argparse
import contextlib
import importlib
import io
import json
import random
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import sklearn.metrics  # the code of CRAIG uses it without importing it
import torch
from scipy.optimize import nnls
from sklearn.datasets import load_digits

from winnow.counts import parts
from winnow.scores.of_outputs.entropy import entropy
from winnow.scores.of_outputs.least_confidence import least_confidence
from winnow.scores.of_outputs.margin import margin
from winnow.scores.of_outputs.margin_uncertainty import margin_uncertainty
from winnow.selection.choose import method
from winnow.selection.evidence import Given
from winnow.selection.facilities import on_grid
from winnow.selection.methods.gradmatch import match
from winnow.selection.methods.herding import herd
from winnow.selection.vectors import vectors

SIZES = (150, 120, 100, 90, 80, 60)  # a tenth of each is a whole number, which every code rounds alike
UNEVEN = (105, 105, 105, 105, 90, 90)  # a tenth is 10.5 of some
SIZE, DIMENSIONS = 60, 32
ROUNDED = "every class rounds for itself, and 10.5 to 10"


@dataclass(frozen=True)
class Images:
    """labels: int64 [n]. features: float32 [n, d]. weights, bias: float32 [classes, d] and [classes], of the last
    layer."""

    name: str
    labels: np.ndarray
    features: np.ndarray
    weights: np.ndarray
    bias: np.ndarray

    @property
    def classes(self) -> int:
        return len(self.bias)

    @property
    def outputs(self) -> np.ndarray:
        """Log softmax, float64 [n, classes]."""
        logits = self.features.astype(np.float64) @ self.weights.astype(np.float64).T + self.bias
        return torch.log_softmax(torch.from_numpy(logits), 1).numpy()

    @property
    def margins(self) -> np.ndarray:
        """How much more probable the label is than any other class: float64 [n], high for easy images."""
        return -margin(self.outputs, self.labels)

    @property
    def gradients(self) -> np.ndarray:
        """Of the last layer's bias and weights, float64 [n, classes * (1 + d)]."""
        errors = np.exp(self.outputs)
        errors[np.arange(len(errors)), self.labels] -= 1
        return np.concatenate([errors, (errors[:, :, None] * self.features[:, None]).reshape(len(errors), -1)], axis=1)

    def evidence(self, features: np.ndarray | None = None, **scores: np.ndarray) -> Given:
        return Given(self.labels, self.classes, scores, self.features if features is None else features, self.outputs)

    def classes_and_counts(self) -> list[tuple[np.ndarray, int]]:
        return parts(SIZE, self.labels, self.classes, per_class=True)


@dataclass(frozen=True)
class Case:
    """One comparison. change: what differs from their code as it is, or from our usual options. why: why the subsets
    differ, or how the change makes them equal. ordered: whether both are in the order of choice. weights: ours and
    theirs, of mean 1."""

    method: str
    code: str
    change: str
    why: str
    ours: Sequence[int]
    theirs: Sequence[int]
    ordered: bool = False
    weights: tuple[np.ndarray, np.ndarray] | None = None


def judged(case: Case) -> dict[str, Any]:
    ours, theirs = ([int(row) for row in rows] for rows in (case.ours, case.theirs))
    found: dict[str, Any] = {"ours": len(ours), "theirs": len(theirs), "both": len(set(ours) & set(theirs))}
    found["same"] = sorted(ours) == sorted(theirs)
    if case.ordered:
        differ = [place for place, (one, other) in enumerate(zip(ours, theirs, strict=False)) if one != other]
        found["orders_differ_from"] = differ[0] if differ else None
    if case.weights and found["same"]:
        mine, other = (own[np.argsort(rows)] for own, rows in zip(case.weights, (ours, theirs), strict=True))
        found["weights_differ_by"] = float(np.abs(mine - other).max())
    return found


Compare = Callable[[Images], Iterator[Case]]


def made_up(seed: int, sizes: Sequence[int] = SIZES, name: str = "made up") -> Images:
    """Noise around centres, rectified as features are, and a last layer that knows the centres."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    centers = rng.normal(size=(len(sizes), DIMENSIONS))
    features = np.maximum(centers[labels] + rng.normal(size=(len(labels), DIMENSIONS)), 0)
    weights, bias = 0.2 * centers, -0.1 * (np.maximum(centers, 0) ** 2).sum(axis=1)
    return Images(f"{name}, seed {seed}", labels, *(own.astype(np.float32) for own in (features, weights, bias)))


def digits() -> Images:
    """60 images of every digit, as a network sees them that has trained on them."""
    given = load_digits()
    rows = np.sort(np.concatenate([np.flatnonzero(given.target == label)[:60] for label in range(10)]))
    pixels, labels = torch.tensor(given.data[rows] / 16, dtype=torch.float32), given.target[rows].astype(np.int64)
    torch.manual_seed(0)
    body = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, DIMENSIONS))
    body.append(torch.nn.ReLU())
    last = torch.nn.Linear(DIMENSIONS, 10)
    optimizer = torch.optim.Adam([*body.parameters(), *last.parameters()], lr=3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(last(body(pixels)), torch.from_numpy(labels)).backward()
        optimizer.step()
    own = (value.detach().numpy().copy() for value in (body(pixels), last.weight, last.bias))
    return Images("digits", labels, *own)


@contextlib.contextmanager
def importing(folder: Path, *stand_ins: str) -> Iterator[None]:
    """Import from a clone, and leave no module behind: two of them have a package of the same name."""
    before, names = dict(sys.modules), [name for name in stand_ins if importable(name) is None]
    sys.path.insert(0, str(folder))
    sys.modules.update({name: mock.MagicMock() for name in names})
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - set(before):
            file = getattr(sys.modules[name], "__file__", None) or ""
            if name in names or str(file).startswith(str(folder)):
                del sys.modules[name]


def importable(name: str) -> object | None:
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError:  # its parent is not there
        return None


def by_prefix(select: Callable[[int], Any], size: int) -> list[int]:
    """The order of a greedy choice that only gives sets, from those of every size."""
    order: list[int] = []
    for count in range(1, size + 1):
        order += [int(row) for row in select(count) if int(row) not in order]
    return order


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def ours(name: str, given: Given, rng: Any = None, **options: Any) -> np.ndarray:
    """The rows of one of our methods, in its order of choice."""
    return method(name)(given, SIZE, rng or np.random.default_rng(0), **options).rows


class Handed(torch.nn.Module):
    """A network in the shape of DeepCore's: its images are the features of its last layer."""

    def __init__(self, images: Images, kind: torch.dtype) -> None:
        super().__init__()
        self.last = torch.nn.Linear(images.features.shape[1], images.classes)
        self.last.load_state_dict({"weight": torch.tensor(images.weights), "bias": torch.tensor(images.bias)})
        self.to(kind).requires_grad_(False)
        self.embedding_recorder = importlib.import_module("deepcore.nets.nets_utils").EmbeddingRecorder()

    def get_last_layer(self) -> torch.nn.Module:
        return self.last

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.last(self.embedding_recorder(rows))


class Rows(torch.utils.data.TensorDataset):
    """Features as a data set in the shape of torchvision's."""

    def __init__(self, images: Images, kind: torch.dtype) -> None:
        super().__init__(torch.from_numpy(images.features).to(kind), torch.from_numpy(images.labels))
        self.targets, self.classes = images.labels, list(range(images.classes))


def of_deepcore(folder: Path) -> Compare:
    sys.path.insert(0, str(folder))  # nothing else is called deepcore, and it looks up its own modules later
    from deepcore import methods, nets
    from deepcore.methods import craig as of_craig
    from deepcore.methods import gradmatch as of_gradmatch
    from deepcore.methods.kcentergreedy import k_center_greedy
    from deepcore.methods.methods_utils import submodular_function as functions
    from deepcore.methods.methods_utils.euclidean import euclidean_dist

    code = "DeepCore"

    def select(
        kind: type, images: Images, size: int = SIZE, batch: int = 10_000, double: bool = False, **options: Any
    ) -> dict[str, np.ndarray]:
        """What a class of theirs selects. batch: the images that it passes through the network together."""
        precision = torch.float64 if double else torch.float32
        nets.__dict__["Handed"] = lambda *_, **__: Handed(images, precision)
        args = SimpleNamespace(
            device="cpu", gpu=None, channel=1, im_size=(1, 1), num_classes=images.classes, workers=0, print_freq=10_000,
            selection_optimizer="Adam", selection_lr=0.1, selection_weight_decay=0.0, selection_batch=batch,
        )  # fmt: skip
        usual = {"random_seed": 0, "epochs": 0, "specific_model": "Handed", "torchvision_pretrain": False}
        rows = Rows(images, precision)
        with mock.patch.object(np, "in1d", np.isin, create=True):  # its name before NumPy 2.4
            return kind(rows, args, fraction=size / len(images.labels), **usual, **options).select()

    def summed(kind: type) -> type:
        """With the loss added up over a batch, not averaged."""

        class Summed(kind):  # type: ignore[misc, valid-type]
            def before_run(self) -> None:
                super().before_run()
                self.criterion = torch.nn.CrossEntropyLoss(reduction="sum")

        return Summed

    def recorded(kind: type, order: list[int]) -> type:
        """A submodular function that notes what is chosen."""

        class Recorded(kind):  # type: ignore[misc, valid-type]
            def update_state(self, new_selection: np.ndarray, total_selected: np.ndarray, **kwargs: Any) -> None:
                order.append(int(self.index[new_selection[0]]))
                super().update_state(new_selection, total_selected, **kwargs)

        return Recorded

    def uncertainty(images: Images) -> Iterator[Case]:
        scores = {
            "Entropy": entropy(images.outputs, images.labels),
            "Margin": margin_uncertainty(images.outputs, images.labels),
            "LeastConfidence": least_confidence(images.outputs, images.labels),
        }
        given = images.evidence(**scores)
        logs = Images(images.name, images.labels, images.outputs.astype(np.float32), *normal(images.classes))
        for name in scores:
            own, of_classes = (ours("ranked", given, score=name, epoch=0, per_class=per) for per in (False, True))
            choose = {"selection_method": name}
            called = f"uncertainty ({name})"
            theirs = select(methods.Uncertainty, images, **choose)["indices"]
            yield Case(called, code, "", "it keeps the most confident: the sort is reversed once too often", own, theirs)
            turned = select(methods.Uncertainty, images, len(images.labels), **choose)["indices"][::-1][:SIZE]
            wrong = "" if name != "LeastConfidence" else "its confidence is the largest logit, not the largest p"
            yield Case(called, code, "its ranking from the other end", wrong, own, turned, ordered=True)
            theirs = select(methods.Uncertainty, images, balance=True, **choose)["indices"]
            yield Case(called, code, "balance: per_class", wrong, of_classes, theirs, ordered=True)
            if wrong:
                theirs = select(methods.Uncertainty, logs, balance=True, **choose)["indices"]
                change = "balance: per_class, and log p for logits"
                yield Case(called, code, change, "", of_classes, theirs, ordered=True)

    def rounding(images: Images) -> Iterator[Case]:
        given = images.evidence(entropy=entropy(images.outputs, images.labels))
        theirs = select(methods.Uncertainty, images, balance=True, selection_method="Entropy")["indices"]
        own = ours("ranked", given, score="entropy", epoch=0, per_class=True)
        yield Case("uncertainty (Entropy)", code, "balance: per_class", ROUNDED, own, theirs)

    def k_center(images: Images) -> Iterator[Case]:
        own = ours("k_center", images.evidence(), epoch=0)
        why = "it starts with a random image, ours with the one nearest to the mean"
        yield Case("k_center", code, "", why, own, select(methods.kCenterGreedy, images)["indices"])
        theirs = select(methods.kCenterGreedy, images, SIZE - 1, already_selected=[own[0]])["indices"]
        yield Case("k_center", code, "the same first image", "", own, theirs)

        def prefix(count: int) -> Any:
            """Besides the first image."""
            with mock.patch.object(np, "in1d", np.isin, create=True):
                features = torch.from_numpy(images.features)
                return k_center_greedy(features, count, euclidean_dist, "cpu", already_selected=[own[0]])

        order = [own[0], *(row for row in by_prefix(prefix, SIZE - 1) if row != own[0])]
        yield Case("k_center", code, "the same first image, its choices for 1 to 60", "", own, order, ordered=True)

    def herding(images: Images) -> Iterator[Case]:
        own = ours("herding", images.evidence(), epoch=0)
        why = "it adds the image that takes the mean farthest away: argmax for argmin"
        yield Case("herding", code, "", why, own, select(methods.Herding, images, balance=True)["indices"])

        def minus(one: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
            return -euclidean_dist(one, others)

        change = "minus the distance as its metric"
        theirs = select(methods.Herding, images, balance=True, metric=minus)["indices"]
        yield Case("herding", code, change, "single precision, where it differs", own, theirs)
        order: list[int] = []
        held = SimpleNamespace(metric=minus, args=SimpleNamespace(print_freq=10_000))
        for rows, count in images.classes_and_counts():
            matrix = torch.from_numpy(images.features[rows].astype(np.float64))
            order += rows[by_prefix(lambda size, m=matrix: methods.Herding.herding(held, m, size), count)].tolist()
        change += ", in double precision, its choices of every size"
        yield Case("herding", code, change, "", own, order, ordered=True)

    def submodular(images: Images) -> Iterator[Case]:
        for name, function in (("facility_location", "FacilityLocation"), ("graph_cut", "GraphCut")):
            own = ours(name, images.evidence(), epoch=0, of="gradients")
            theirs = select(methods.Submodular, images, balance=True, function=function)["indices"]
            why = "its usual search takes what gains at least 0.9 of a bound, so it is not the greedy choice"
            yield Case(name, code, "", why, own, theirs)
            for greedy, double in (("LazyGreedy", False), ("NaiveGreedy", False), ("NaiveGreedy", True)):
                order: list[int] = []
                functions.__dict__["Recorded"] = recorded(functions.__dict__[function], order)
                given = {"balance": True, "function": "Recorded", "greedy": greedy, "double": double}
                theirs = select(methods.Submodular, images, **given)["indices"]
                assert sorted(theirs.tolist()) == sorted(order)
                change = f"greedy: {greedy}" + (", in double precision" if double else "")
                yield Case(name, code, change, "", own, order, ordered=True)

    def craig(images: Images) -> Iterator[Case]:
        chosen = method("craig")(images.evidence(), SIZE, np.random.default_rng(0), epoch=0)
        alone = "it averages the loss over a batch, so the gradients of the smaller last batch are larger"
        single = "distances of single precision: that of an image to itself is not 0"
        one_more = "every weight is one too large: it begins to count at 1"
        for change, why, kind, double in (
            ("batches of 32 images", alone, methods.Craig, False),
            ("batches of 32 images, their losses added up", single, summed(methods.Craig), False),
            ("the same, in double precision", one_more, summed(methods.Craig), True),
        ):
            order: list[int] = []
            with mock.patch.object(of_craig, "FacilityLocation", recorded(functions.FacilityLocation, order)):
                found = select(kind, images, batch=32, double=double)
            weights = dict(zip(found["indices"].tolist(), found["weights"], strict=True))
            theirs = np.array([weights[row] for row in order])
            both = (chosen.weights, theirs / theirs.mean())
            yield Case("craig", code, change, why, chosen.rows, order, ordered=True, weights=both)
        both = (chosen.weights, (theirs - 1) / (theirs - 1).mean())
        change = "the same, its weights less 1"
        yield Case("craig", code, change, "", chosen.rows, order, ordered=True, weights=both)

    def gradmatch(images: Images) -> Iterator[Case]:
        own, own_weights = matched(images)
        found = select(methods.GradMatch, images, balance=True)
        ridge = "lambda is 1, whatever is asked for, and the gradients are divided by the batch: far too large a ridge"
        yield Case("gradmatch", code, "", ridge, own, found["indices"])
        gradients = images.gradients
        alone = [
            rows[np.argsort(-(gradients[rows] @ gradients[rows].mean(axis=0)), kind="stable")[:count]]
            for rows, count in images.classes_and_counts()
        ]
        why = "so the pursuit hardly fits, and takes the largest products with the mean"
        yield Case("gradmatch", code, "in place of ours, the largest products", why, np.concatenate(alone),
                   found["indices"])  # fmt: skip

        def at(kind: type, from_the_first: bool) -> type:
            class At(kind):  # type: ignore[misc, valid-type]
                def orthogonal_matching_pursuit_np(self, A: np.ndarray, b: np.ndarray, budget: int) -> np.ndarray:
                    lam = 0.01 * (A.astype(np.float64) ** 2).sum(axis=0).mean()
                    if from_the_first:
                        A, b, lam = *augmented(A.astype(np.float64), b, lam), 0.0
                    return super().orthogonal_matching_pursuit_np(A, b, budget, lam=lam)

            return At

        def by_factor(products: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, float]:
            """The weights, none below 0, of the smallest w . products w - 2 w . target."""
            lower = np.linalg.cholesky(products)
            return nnls(lower.T, np.linalg.solve(lower, target))

        first = "the first image's weight is fitted without the ridge"
        last = "its last weights match the normal equations best, not the gradients: that differs where one is 0"
        for change, why, from_the_first, solver in (
            ("our ridge", first, False, nnls),
            ("our ridge, and from the first image on", last, True, nnls),
            ("our ridge, and from the first image on, last weights that match the gradients best", "", True, by_factor),
        ):
            with mock.patch.object(of_gradmatch, "nnls", solver):
                found = select(at(methods.GradMatch, from_the_first), images, balance=True)
            weights = of_every_class(images, found["indices"], found["weights"])
            yield Case("gradmatch", code, change, why, own, found["indices"], weights=(own_weights, weights))

    def compare(images: Images) -> Iterator[Case]:
        if images.name.startswith("uneven"):
            yield from rounding(images)
            return
        for part in (uncertainty, k_center, herding, submodular, craig, gradmatch):
            yield from part(images)

    return compare


def normal(classes: int) -> tuple[np.ndarray, np.ndarray]:
    """A last layer that hands on its inputs."""
    return np.eye(classes, dtype=np.float32), np.zeros(classes, np.float32)


def matched(images: Images, counts: Sequence[int] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """What our GradMatch matches with, before chance fills up, and its weights, in every class of mean 1. counts: of
    every class, in place of a tenth."""
    every = vectors(images.evidence(), 0, "gradients")
    rows, weights = [], []
    for label, (own, usual) in enumerate(images.classes_and_counts()):
        found, fitted = match(every[own], counts[label] if counts else usual, 0.01)
        rows.append(own[found])
        weights.append(fitted / fitted.mean())
    return np.concatenate(rows), np.concatenate(weights)


def augmented(columns: np.ndarray, target: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    """A ridge as further rows of a least-squares problem, so that every fit has it."""
    images = columns.shape[1]
    return np.concatenate([columns, np.sqrt(ridge) * np.eye(images)]), np.concatenate([target, np.zeros(images)])


def of_every_class(images: Images, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weights of mean 1 in every class."""
    of = images.labels[rows]
    return weights / (np.bincount(of, weights) / np.maximum(np.bincount(of), 1))[of]


def of_icarl(folder: Path) -> Compare:
    """The lines of its script between two comments."""
    script = (folder / "iCaRL-TheanoLasagne" / "main_cifar_100_theano.py").read_text(encoding="utf-8").splitlines()
    start, end = (next(i for i, line in enumerate(script) if line.strip() == mark) for mark in
                  ("# Herding", "# Prepare the protoset"))  # fmt: skip
    lines = compile(textwrap.dedent("\n".join(script[start:end])), "iCaRL", "exec")

    def order_of(features: np.ndarray, count: int) -> np.ndarray:
        ranks = np.zeros((1, len(features), 1))
        given = {"np": np, "nb_cl": 1, "iteration": 0, "nb_protos_cl": count, "prototypes": [features],
                 "alpha_dr_herding": ranks, "function_map": lambda rows: [rows.astype(np.float64)]}  # fmt: skip
        exec(lines, given)  # noqa: S102 (a clone that the user names)
        taken = np.flatnonzero(ranks[0, :, 0])
        return taken[np.argsort(ranks[0, taken, 0])]

    def with_repeats(features: np.ndarray, count: int) -> list[int]:
        """Herding as defined, which may take an image again; what it takes for the first time."""
        mean, total, order, step = features.mean(axis=0), np.zeros(features.shape[1]), [], 0
        while len(order) < count:
            step += 1
            best = int((((total + features) / step - mean) ** 2).sum(axis=1).argmin())
            total = total + features[best]
            order += [] if best in order else [best]
        return order

    def compare(images: Images) -> Iterator[Case]:
        features = unit(images.features.astype(np.float64)).astype(np.float32)
        own, theirs, repeats, before = [], [], [], 0
        for rows, count in images.classes_and_counts():
            mine, other = herd(features[rows], count), order_of(features[rows], count)
            again = with_repeats(unit(features[rows].astype(np.float64)), count)
            own.append(rows[mine])
            theirs.append(rows[other])
            repeats.append(rows[again])
            before += mine.tolist() == other.tolist()
        own, theirs, repeats = (np.concatenate(parts) for parts in (own, theirs, repeats))
        why = f"it may take an image again, which then counts twice; the same in {before} of {images.classes} classes"
        change = "features of length 1 for both"
        yield Case("herding", "iCaRL", change, why, own, theirs, ordered=True)
        change = "in place of ours, herding that may take an image again"
        yield Case("herding", "iCaRL", change, "", repeats, theirs, ordered=True)

    return compare


def of_craig(folder: Path) -> Compare:
    absent = ["nearpy", *(f"nearpy.{name}" for name in ("distances", "filters", "hashes"))]
    absent += ["matplotlib", "matplotlib.pyplot", "tensorflow"]
    for name in ("contrib.learn.python.learn.datasets.mnist", "examples.tutorials.mnist"):
        words = name.split(".")
        absent += [".".join(["tensorflow", *words[: i + 1]]) for i in range(len(words))]
    with importing(folder, *absent):
        theirs = importlib.import_module("util")

    def compare(images: Images) -> Iterator[Case]:
        chosen = method("craig")(images.evidence(), SIZE, np.random.default_rng(0), epoch=0)
        gradients, plain, corrected, turned = images.gradients, [], [], []
        for label, (rows, count) in enumerate(images.classes_and_counts()):
            found, stands_for, *_ = theirs.faciliy_location_order(
                label, gradients, images.labels, "euclidean", count, smtk=0, no=0, stoch_greedy=0
            )
            plain.append((found, stands_for))
            similarity, _ = theirs.similarity(gradients[rows], metric="euclidean")
            longest = 2 * float(np.linalg.norm(gradients[rows], axis=1).max())
            for done, own, matrix in (
                (corrected, rows, similarity),
                (turned, rows[::-1], on_grid(similarity[::-1, ::-1], longest).astype(np.float64)),
            ):
                padded = np.pad(matrix, ((1, 0), (1, 0)))
                offered = list(range(1, len(padded)))
                places, _ = theirs.lazy_greedy_heap(theirs.FacilityLocation(padded, offered), offered, count)
                kept = np.array(places) - 1
                done.append((own[kept], np.bincount(matrix[:, kept].argmax(axis=1), minlength=count)))
        first = sum(rows[0] in own for (rows, _), (own, _) in zip(images.classes_and_counts(), plain, strict=True))
        why = f"image 0 of a class passes for none, and gains log 2: in {first} of {images.classes} classes it is kept"
        without = "an image 0 that is never offered"
        equal = "of equal gains its later image wins: often two images are the nearest of each other"
        for change, why, of_class in (
            ("", why, plain),
            (without, equal, corrected),
            (f"{without}, similarities of 24 bits, and rows in reverse order", "", turned),
        ):
            rows, weights = (np.concatenate(parts) for parts in zip(*of_class, strict=True))
            both = (chosen.weights, weights / weights.mean())
            yield Case("craig", "CRAIG", change, why, chosen.rows, rows, ordered=True, weights=both)

    return compare


def of_cords(folder: Path) -> Compare:
    with np.errstate(), importing(folder / "cords" / "selectionstrategies" / "helpers"):
        theirs = importlib.import_module("omp_solvers")  # which changes what numpy does about errors

    def chosen(images: Images, ridge: float, counts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        rows, weights = [], []
        for (own, _), count in zip(images.classes_and_counts(), counts, strict=True):
            columns = images.gradients[own].T
            target = columns.mean(axis=1)
            if ridge:
                columns, target = augmented(columns, target, ridge * (columns**2).sum(axis=0).mean())
            fitted = theirs.OrthogonalMP_REG(columns, target, nnz=count, positive=True, lam=0)
            rows.append(own[np.flatnonzero(fitted)])
            weights.append(fitted[fitted != 0] / fitted[fitted != 0].mean())
        return np.concatenate(rows), np.concatenate(weights)

    def compare(images: Images) -> Iterator[Case]:
        all_counts = [count for _, count in images.classes_and_counts()]
        own, of_own = matched(images)
        rows, _ = chosen(images, 0, all_counts)
        why = "it has no ridge, and an image whose weight falls below 0 leaves at once, not at the end"
        yield Case("gradmatch", "cords", "", why, own, rows)
        rows, weights = chosen(images, 0.01, all_counts)
        why = "an image whose weight falls below 0 leaves at once, not at the end"
        change = "our ridge, from the first image on"
        yield Case("gradmatch", "cords", change, why, own, rows, weights=(of_own, weights))
        every = vectors(images.evidence(), 0, "gradients")
        fewer = [
            next((c for c in range(count) if len(match(every[own], c + 1, 0.01)[0]) <= c), count)
            for own, count in images.classes_and_counts()
        ]
        own, of_own = matched(images, counts=fewer)
        rows, weights = chosen(images, 0.01, fewer)
        change += ", as long as no weight falls below 0"
        yield Case("gradmatch", "cords", change, "", own, rows, weights=(of_own, weights))

    return compare


class Hardest:
    """In place of chance: of rows by rising difficulty, the last."""

    def choice(self, rows: np.ndarray, count: int, replace: bool) -> np.ndarray:
        return rows[::-1][:count]


def of_ccs(folder: Path) -> Compare:
    with importing(folder):
        theirs = importlib.import_module("core.data.Coreset").CoresetSelection

    def chosen(margins: np.ndarray, scores: np.ndarray, cutoff: float) -> np.ndarray:
        """As in its train.py. scores: what is stratified; margins: what is cut off."""
        key, margin_key = "score", "accumulated_margin"
        data = {key: torch.from_numpy(scores), margin_key: torch.from_numpy(margins)}
        cut = {"mis_key": margin_key, "mis_num": int(cutoff * len(margins)), "mis_descending": False}
        data, left = theirs.mislabel_mask(data, **cut, coreset_key=key)
        rows, _ = theirs.stratified_sampling(data, coreset_key=key, coreset_num=SIZE)
        return left[rows].numpy()

    def compare(images: Images) -> Iterator[Case]:
        margins, cutoff = images.margins, 0.3
        hard = -margins
        given = images.evidence(hard=hard)
        own, own_hardest = (
            ours("ccs", given, rng, score="hard", epoch=0, cutoff=cutoff) for rng in (None, Hardest())
        )
        torch.manual_seed(0)
        why = "both draw at random within a stratum, from other generators"
        yield Case("ccs", "CCS", "", why, own, chosen(margins, margins, cutoff))
        with mock.patch.object(torch, "randperm", torch.arange):  # its images are then the hardest of a stratum too
            change = "both take the hardest of a stratum"
            why = "which of the strata of equal size gets one more, and where strata end"
            yield Case("ccs", "CCS", change, why, own_hardest, chosen(margins, margins, cutoff))
            change += ", its strata by rising difficulty"
            lost = "its last stratum ends at 1.0001 times the highest score: if that is below 0, this image is in none"
            yield Case("ccs", "CCS", change, lost, own_hardest, chosen(margins, hard, cutoff))
            shifted = hard - np.sort(hard)[len(hard) - 1 - int(cutoff * len(hard))] + 1e-6
            change += " that ends just above 0"
            yield Case("ccs", "CCS", change, "", own_hardest, chosen(margins, shifted, cutoff))

    return compare


def of_d2(folder: Path) -> Compare:
    with importing(folder):
        coresets = importlib.import_module("core.data.Coreset")
    sampler, selection = coresets.GraphDensitySampler, coresets.CoresetSelection
    args = SimpleNamespace(
        n_neighbor=5, gamma=0.1, graph_mode="sum", graph_sampling_mode="weighted", sampling_mode="graph",
        budget_mode="uniform", precomputed_dists="", precomputed_neighbors="", coreset_key="forgetting", aucpr=False,
    )  # fmt: skip

    def of_all(features: np.ndarray, scores: np.ndarray) -> list[int]:
        graph = sampler(X=features, y=None, gamma=0.1, seed=0, importance_scores=torch.from_numpy(scores), args=args)

        def first(count: int) -> list[int]:
            graph.graph_density = graph.starting_density.copy()
            return graph.select_batch_(count)

        return by_prefix(first, SIZE)

    def of_classes(images: Images, features: np.ndarray, scores: np.ndarray, key: str) -> np.ndarray:
        named = SimpleNamespace(**{**vars(args), "coreset_key": key})
        random.seed(0)
        rows, _ = selection.density_sampling({key: torch.from_numpy(scores)}, images.labels, SIZE, named, features)
        return np.array(rows)

    def d2(images: Images) -> Iterator[Case]:
        hard = -images.margins - (-images.margins).min()
        features = images.features.astype(np.float64)
        given = images.evidence(hard=hard, easy=-hard)
        medians, units = (ours("d2", given, score="hard", epoch=0, scale=scale) for scale in ("median", "unit"))
        why = "it takes distances as they are: exp(-distance) depends on the features' scale"
        yield Case("d2", "D2", "", why, medians, of_all(features, hard), ordered=True)
        change = "features of length 1, scale: unit"
        yield Case("d2", "D2", change, "", units, of_all(unit(features), hard), ordered=True)
        by_neighbours = features / median_to_neighbours(features, 5)
        yield Case("d2", "D2", "distances over their median", "", medians, of_all(by_neighbours, hard), ordered=True)

        equal = ours("d2", given, score="hard", epoch=0, scale="unit", equal=True)
        theirs = of_classes(images, unit(features), hard, "forgetting")
        why = "its graph has no edges between classes, ours has"
        change = "features of length 1, scale: unit, equal: its mode class"
        yield Case("d2", "D2", change, why, equal, theirs)
        apart = [
            rows[method("d2")(
                Given(np.zeros(len(rows), np.int64), 1, {"hard": hard[rows]}, images.features[rows]),
                int((images.labels[equal] == label).sum()), np.random.default_rng(0), score="hard", epoch=0,
                scale="unit",
            ).rows]
            for label, rows in enumerate(np.flatnonzero(images.labels == k) for k in range(images.classes))
        ]  # fmt: skip
        change += ", ours class by class"
        yield Case("d2", "D2", change, "", np.concatenate(apart), theirs)
        theirs = of_classes(images, unit(features), images.margins, "accumulated_margin")
        why = "with the accumulated margin its mode class takes easy images for important: high is easy, and not turned"
        change = "features of length 1, scale: unit, equal: its mode class, by the margin"
        yield Case("d2", "D2", change, why, np.concatenate(apart), theirs)

    def compare(images: Images) -> Iterator[Case]:
        yield from d2(images)
        own, targets = ours("moderate", images.evidence(), epoch=0), {"targets": images.labels}
        keep = SIZE / len(images.labels)
        theirs = selection.moderate_selection(targets, keep, images.features)
        yield Case("moderate", "D2's port", "", "it returns both ends in place of the middle", own, theirs)
        left = selection.moderate_selection(targets, 1 - keep, images.features)
        rows = np.setdiff1d(np.arange(len(images.labels)), left)
        yield Case("moderate", "D2's port", "what it leaves out of the other share", "", own, rows)
        own = ours("k_center", images.evidence(), epoch=0)
        start = np.concatenate([own[:1], np.setdiff1d(np.arange(len(images.labels)), own[:1])])
        port = coresets.kCenterGreedy(images.features[start], y=None, seed=0)
        change = "our first image as its image 0, with which it always starts"
        with mock.patch.dict(port.select_batch_.__globals__, {"max": np.max}):  # it prints an array as a number
            rows = start[port.select_batch_(None, SIZE)]
        yield Case("k_center", "D2's port", change, "", own, rows, ordered=True)

    return compare


def median_to_neighbours(features: np.ndarray, k: int) -> float:
    """The median distance of the pairs of which one is among the k nearest of the other."""
    distances = sklearn.metrics.pairwise_distances(features)
    np.fill_diagonal(distances, np.inf)
    near = distances <= np.sort(distances, axis=1)[:, k - 1 : k]
    return float(np.median(distances[np.triu(near | near.T)]))


def of_moderate(folder: Path) -> Compare:
    with importing(folder), mock.patch.dict(sys.modules, {"utils": mock.MagicMock()}):  # its data sets and networks
        theirs = importlib.import_module("selection")

    def compare(images: Images) -> Iterator[Case]:
        own = ours("moderate", images.evidence(), epoch=0)
        distance = theirs.get_distance(images.features, images.labels)
        pruned = theirs.get_prune_idx(SimpleNamespace(rate=SIZE / len(images.labels)), distance)
        yield Case("moderate", "Moderate", "", "", own, np.setdiff1d(np.arange(len(images.labels)), pruned))

    return compare


CODES: dict[str, Callable[[Path], Compare]] = {
    "deepcore": of_deepcore,
    "icarl": of_icarl,
    "craig": of_craig,
    "cords": of_cords,
    "ccs": of_ccs,
    "d2": of_d2,
    "moderate": of_moderate,
}


def commit(folder: Path) -> str:
    command = ["git", "-C", str(folder), "rev-parse", "--short=7", "HEAD"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def line(case: Case, found: dict[str, Any]) -> str:
    same = "the same" if found["same"] else f"{found['both']} of {found['ours']} (it keeps {found['theirs']})"
    if "orders_differ_from" in found and found["same"]:
        place = found["orders_differ_from"]
        same += ", in the same order" if place is None else f", in another order from {place}"
    if "weights_differ_by" in found:
        same += f", weights differ by {found['weights_differ_by']:.1e}"
    return f"{case.method}, {case.code}{', ' if case.change else ''}{case.change}: {same}" + (
        f" ({case.why})" if case.why else ""
    )


def main() -> None:
    """Compare, print, and write what was found."""
    parser = argparse.ArgumentParser(description="Our selection beside the authors' own code.")
    for name in CODES:
        parser.add_argument(f"--{name}", type=Path, metavar="FOLDER", help="a clone of this repository")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path(".bench/agreement.json"))
    given = parser.parse_args()
    every = [*(made_up(seed) for seed in range(given.seeds)), digits(), made_up(0, UNEVEN, "uneven")]
    results: dict[str, Any] = {"images": [images.name for images in every], "commits": {}, "cases": []}
    for name, code in CODES.items():
        folder = getattr(given, name)
        if folder is None:
            print(f"{name}: left out, as --{name} names no clone", flush=True)
            continue
        results["commits"][name] = commit(folder)
        compare = code(folder.resolve())
        for images in every:
            if images.name.startswith("uneven") and name != "deepcore":
                continue
            print(f"{images.name}:", flush=True)
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                cases = list(compare(images))
            for case in cases:
                found = judged(case)
                print(f"  {line(case, found)}", flush=True)
                about = {"method": case.method, "code": case.code, "change": case.change, "why": case.why}
                results["cases"].append({"images": images.name, **about, **found})
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
