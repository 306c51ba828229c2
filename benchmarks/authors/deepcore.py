"""DeepCore's classes, on a network that hands on the given features."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import torch
from scipy.optimize import nnls

from authors.cases import RIDGE, SIZE, Case, Compare, Images, by_prefix, made_up, matched, ours, unit
from winnow.scores.of_outputs.entropy import entropy
from winnow.scores.of_outputs.least_confidence import least_confidence
from winnow.scores.of_outputs.margin_uncertainty import margin_uncertainty
from winnow.selection.choose import method

CODE = "DeepCore"
QUIET = SimpleNamespace(print_freq=10_000)


class Handed(torch.nn.Module):
    """A network in the shape of theirs: its images are the features of its last layer."""

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


def load(folder: Path) -> Compare:
    sys.path.insert(0, str(folder))  # nothing else is called deepcore, and it looks up its own modules later
    from deepcore import methods

    def compare(images: Images) -> Iterator[Case]:
        for part in (_uncertainty, _k_center, _herding, _submodular, _craig, _gradmatch):
            yield from part(methods, images)

    return compare


def select(
    kind: Any, images: Images, size: int = SIZE, batch: int = 10_000, double: bool = False, **options: Any
) -> dict[str, np.ndarray]:
    """What a class of theirs selects. batch: the images that it passes through the network together."""
    nets, precision = importlib.import_module("deepcore.nets"), torch.float64 if double else torch.float32
    nets.__dict__["Handed"] = lambda *_, **__: Handed(images, precision)
    args = SimpleNamespace(
        **{"device": "cpu", "gpu": None, "channel": 1, "im_size": (1, 1), "num_classes": images.classes, "workers": 0},
        **{"selection_optimizer": "Adam", "selection_lr": 0.1, "selection_weight_decay": 0.0},
        **{"selection_batch": batch, **vars(QUIET)},
    )
    usual = {"random_seed": 0, "epochs": 0, "specific_model": "Handed", "torchvision_pretrain": False}
    rows = Rows(images, precision)
    with mock.patch.object(np, "in1d", np.isin, create=True):  # what it was called before NumPy 2.4
        return kind(rows, args, fraction=size / len(images.labels), **usual, **options).select()


def summed(kind: Any) -> Any:
    """With the loss added up over a batch, not averaged."""

    class Summed(kind):
        def before_run(self) -> None:
            super().before_run()
            self.criterion = torch.nn.CrossEntropyLoss(reduction="sum")

    return Summed


def recorded(kind: Any, order: list[int]) -> Any:
    """A submodular function that notes what is chosen."""

    class Recorded(kind):
        def update_state(self, new_selection: np.ndarray, total_selected: np.ndarray, **kwargs: Any) -> None:
            order.append(int(self.index[new_selection[0]]))
            super().update_state(new_selection, total_selected, **kwargs)

    return Recorded


def _uncertainty(methods: Any, images: Images) -> Iterator[Case]:
    scores = {
        "Entropy": entropy(images.outputs, images.labels),
        "Margin": margin_uncertainty(images.outputs, images.labels),
        "LeastConfidence": least_confidence(images.outputs, images.labels),
    }
    given, kind = images.evidence(**scores), methods.Uncertainty
    last = np.eye(images.classes, dtype=np.float32), np.zeros(images.classes, np.float32)
    logs = Images(images.name, images.labels, images.outputs.astype(np.float32), *last)
    for name in scores:
        own, of_classes = (ours("ranked", given, score=name, per_class=per) for per in (False, True))
        choose, called = {"selection_method": name}, f"uncertainty ({name})"
        theirs = select(kind, images, **choose)["indices"]
        yield Case(called, CODE, "", "it keeps the most confident: a sort is reversed once too often", own, theirs)
        turned = select(kind, images, len(images.labels), **choose)["indices"][::-1][:SIZE]
        wrong = "" if name != "LeastConfidence" else "its confidence is the largest logit, not the largest p"
        yield Case(called, CODE, "its ranking from the other end", wrong, own, turned, ordered=True)
        theirs = select(kind, images, balance=True, **choose)["indices"]
        yield Case(called, CODE, "class by class", wrong, of_classes, theirs, ordered=True)
        if wrong:
            theirs = select(kind, logs, balance=True, **choose)["indices"]
            yield Case(called, CODE, "class by class, log p as its logits", "", of_classes, theirs, ordered=True)


def rounding(folder: Path, images: Images) -> Iterator[Case]:
    """How many images each side keeps where a tenth of a class is not a whole number."""
    sys.path.insert(0, str(folder))
    from deepcore import methods

    given = images.evidence(entropy=entropy(images.outputs, images.labels))
    theirs = select(methods.Uncertainty, images, balance=True, selection_method="Entropy")["indices"]
    own = ours("ranked", given, score="entropy", per_class=True)
    why = "every class rounds for itself, and 10.5 to 10"
    yield Case("uncertainty (Entropy)", CODE, "class by class", why, own, theirs)


def _k_center(methods: Any, images: Images) -> Iterator[Case]:
    own = ours("k_center", images.evidence())
    why = "it starts with a random image, ours with the one nearest to the mean"
    yield Case("k_center", CODE, "", why, own, select(methods.kCenterGreedy, images)["indices"])

    def prefix(count: int) -> np.ndarray:
        """It keeps so many besides the first image."""
        return select(methods.kCenterGreedy, images, count, already_selected=[own[0]])["indices"]

    order = [own[0], *(row for row in by_prefix(prefix, SIZE - 1) if row != own[0])]
    yield Case("k_center", CODE, "the same first image", "", own, order, ordered=True)


def _herding(methods: Any, images: Images) -> Iterator[Case]:
    euclidean = importlib.import_module("deepcore.methods.methods_utils.euclidean").euclidean_dist
    own, kind = ours("herding", images.evidence()), methods.Herding
    why = "it adds the image that takes the mean farthest away: argmax for argmin"
    yield Case("herding", CODE, "", why, own, select(kind, images, balance=True)["indices"])

    def minus(one: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        return -euclidean(one, others)

    change = "minus the distance as its metric"
    theirs = select(kind, images, balance=True, metric=minus)["indices"]
    yield Case("herding", CODE, change, "", own, theirs)
    order: list[int] = []
    for rows, count in images.groups():
        matrix, held = torch.from_numpy(images.features[rows]), SimpleNamespace(metric=minus, args=QUIET)
        order += rows[by_prefix(lambda size, m=matrix, h=held: kind.herding(h, m, size), count)].tolist()
    yield Case("herding", CODE, f"{change}, its choices of every size", "", own, order, ordered=True)


def _submodular(methods: Any, images: Images) -> Iterator[Case]:
    functions = importlib.import_module("deepcore.methods.methods_utils.submodular_function").__dict__
    for name, function in (("facility_location", "FacilityLocation"), ("graph_cut", "GraphCut")):
        own = ours(name, images.evidence(), of="gradients")
        theirs = select(methods.Submodular, images, balance=True, function=function)["indices"]
        why = "the default of its class takes what gains 0.9 of a bound, which is not the greedy choice"
        yield Case(name, CODE, "", why, own, theirs)
        for greedy in ("LazyGreedy", "NaiveGreedy"):
            order: list[int] = []
            functions["Recorded"] = recorded(functions[function], order)
            select(methods.Submodular, images, balance=True, function="Recorded", greedy=greedy)
            yield Case(name, CODE, f"greedy: {greedy}", "", own, order, ordered=True)


def _craig(methods: Any, images: Images) -> Iterator[Case]:
    chosen, module = ours_weighted(images), importlib.import_module("deepcore.methods.craig")
    alone = "it averages the loss over a batch, so the gradients of the smaller last batch are larger"
    single = "single precision: by its distances an image is not at 0 from itself"
    one_more = "every weight is one too large: it begins to count at 1"
    for change, why, kind, double in (
        ("batches of 32 images", alone, methods.Craig, False),
        ("losses added up", single, summed(methods.Craig), False),
        ("losses added up, double precision", one_more, summed(methods.Craig), True),
    ):
        order: list[int] = []
        with mock.patch.object(module, "FacilityLocation", recorded(module.FacilityLocation, order)):
            found = select(kind, images, batch=32, double=double)
        weights = dict(zip(found["indices"].tolist(), found["weights"], strict=True))
        theirs = np.array([weights[row] for row in order])
        both = (chosen.weights, theirs / theirs.mean())
        yield Case("craig", CODE, change, why, chosen.rows, order, ordered=True, weights=both)
    both = (chosen.weights, (theirs - 1) / (theirs - 1).mean())
    yield Case("craig", CODE, f"{change}, weights less 1", "", chosen.rows, order, ordered=True, weights=both)


def ours_weighted(images: Images) -> Any:
    return method("craig")(images.evidence(), SIZE, np.random.default_rng(0), epoch=0)


def _gradmatch(methods: Any, images: Images) -> Iterator[Case]:
    (own, own_weights), module = matched(images), importlib.import_module("deepcore.methods.gradmatch")
    found = select(methods.GradMatch, images, balance=True)["indices"]
    why = "its lambda is always 1, and its gradients are divided by the images of a batch: far too large a ridge"
    yield Case("gradmatch", CODE, "", why, own, found)
    gradients = images.gradients
    products = [gradients[rows] @ gradients[rows].mean(axis=0) for rows, _ in images.groups()]
    alone = [rows[np.argsort(-of)[:count]] for (rows, count), of in zip(images.groups(), products, strict=True)]
    why = "with such a ridge it takes nearly the largest products with the mean"
    yield Case("gradmatch", CODE, "the largest products in place of ours", why, np.concatenate(alone), found)

    class At(methods.GradMatch):
        """By our ridge."""

        def orthogonal_matching_pursuit_np(self, A: np.ndarray, b: np.ndarray, budget: int) -> np.ndarray:
            lam = RIDGE * (A.astype(np.float64) ** 2).sum(axis=0).mean()
            return super().orthogonal_matching_pursuit_np(A.astype(np.float64), b, budget, lam=lam)

    def by_factor(products: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, float]:
        """The weights w, none below 0, of the smallest w . products w - 2 w . target."""
        lower = np.linalg.cholesky(products)
        return nnls(lower.T, np.linalg.solve(lower, target))

    last = "its last weights fit the normal equations, not the gradients: where one is 0, the others differ"
    for change, why, solver in (("our ridge", last, nnls), ("our ridge, last weights that fit best", "", by_factor)):
        with mock.patch.object(module, "nnls", solver):
            fitted = select(At, images, balance=True)
        of = images.labels[fitted["indices"]]
        means = np.bincount(of, fitted["weights"]) / np.maximum(np.bincount(of), 1)
        both = (own_weights, fitted["weights"] / means[of])
        yield Case("gradmatch", CODE, change, why, own, fitted["indices"], weights=both)


class Endless(Exception):
    """A search that does not end."""


def slips(folder: Path) -> dict[str, bool]:
    """What is wrong beside what is compared, and whether it is so."""
    sys.path.insert(0, str(folder))
    from deepcore.methods.methods_utils.submodular_function import FacilityLocation, GraphCut
    from deepcore.methods.methods_utils.submodular_optimizer import ApproximateLazyGreedy

    images = made_up(0)
    rows = np.flatnonzero(images.labels == 5)
    cosines = unit(images.gradients[rows])
    matrix, every = (1 + cosines @ cosines.T) / 2, np.arange(len(rows))
    cut, calls = GraphCut(index=rows, similarity_matrix=matrix), iter(range(20_000))

    def gain(*given: Any, **options: Any) -> np.ndarray:
        if next(calls, None) is None:
            raise Endless
        return cut.calc_gain(*given, **options)

    try:
        ApproximateLazyGreedy(QUIET, rows, 40).select(gain, cut.update_state)
        endless = False
    except Endless:
        endless = True
    fresh = FacilityLocation(index=rows, similarity_kernel=lambda a, b: matrix[np.ix_(a, b)])
    mixed = fresh.calc_gain(np.array([5, 2, 9]), np.zeros(len(rows), bool))
    part = FacilityLocation(index=rows, similarity_matrix=matrix).calc_gain_batch(every, None, batch=16)
    return {
        "graph cut by ApproximateLazyGreedy does not end with 40 of 60": endless,
        "gains of a random sample are in the order of the rows, not of the sample": bool(
            np.allclose(mixed, matrix[:, [2, 5, 9]].sum(axis=0), rtol=1e-5)
        ),
        "CRAIG over all classes counts only the images of the first batch": bool(
            np.allclose(part, matrix[:16].sum(axis=0))
        ),
    }
