import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from winnow.selection.evidence import Given, HeldOut
from winnow.selection.methods.glister import glister


def problem(seed: int, images: int = 20, classes: int = 3, width: int = 4):
    """A last layer, and features and labels of training and validation images."""
    rng = np.random.default_rng(seed)
    weight, bias = rng.normal(size=(classes, width)), rng.normal(size=classes)
    features, held = rng.normal(size=(images, width)), rng.normal(size=(9, width))
    return weight, bias, features, rng.integers(classes, size=images), held, rng.integers(classes, size=9)


def evidence(weight, bias, features, labels, held, held_labels) -> Given:
    outputs = [F.log_softmax(torch.tensor(rows @ weight.T + bias), dim=1).numpy() for rows in (features, held)]
    validation = HeldOut(held_labels, outputs[1], held)
    return Given(labels, len(bias), {}, features, outputs[0], validation=validation)


def in_order(case, size: int, **options) -> list[int]:
    return glister(evidence(*case), size, np.random.default_rng(0), epoch=0, **options).rows.tolist()


def plainly(case, size: int, rate: float, rounds: int, step: str) -> list[int]:
    """Every gradient by autograd, of the layer as it is after each step."""
    weight, bias, features, labels, held, held_labels = case
    features, held = torch.tensor(features.astype(np.float32)).double(), torch.tensor(held)
    start = [torch.tensor(weight), torch.tensor(bias)]

    def gradient(layer, inputs, given) -> torch.Tensor:
        layer = [part.clone().requires_grad_() for part in layer]
        loss = F.cross_entropy(inputs @ layer[0].T + layer[1], torch.tensor(given))
        return [part.detach() for part in torch.autograd.grad(loss, layer)]

    each = [gradient(start, features[i : i + 1], labels[i : i + 1]) for i in range(len(labels))]
    layer, rows = start, []
    while len(rows) < size:
        target = gradient(layer, held, held_labels)
        gains = [sum(float((a * b).sum()) for a, b in zip(own, target, strict=True)) for own in each]
        left = sorted((i for i in range(len(labels)) if i not in rows), key=lambda i: -gains[i])
        rows += left[: min(-(-size // rounds), size - len(rows))]
        divisor = len(rows) if step == "mean" else 1
        layer = [part - rate * sum(each[i][k] for i in rows) / divisor for k, part in enumerate(start)]
    return rows


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 999), st.floats(0, 5), st.integers(1, 8), st.sampled_from(["mean", "sum"]), st.integers(1, 20))
def test_it_is_the_plain_algorithm(seed, rate, rounds, step, size):
    case = problem(seed)
    assert in_order(case, size, learning_rate=rate, rounds=rounds, step=step) == plainly(case, size, rate, rounds, step)


def test_without_a_step_it_ranks_by_the_first_gradient():
    case = problem(0)
    once = in_order(case, 12, rounds=1)
    assert in_order(case, 12, learning_rate=0.0, rounds=12) == once == plainly(case, 12, 0.0, 1, "mean")


def test_two_classes_where_the_step_changes_the_second_pick():
    # the validation images are half of each class, and most of the loss is on class 1; the first pick, of class 1, with
    # a long step mends that, so the second is of class 0; without the step, the second is another image of class 1
    weight, bias = np.zeros((2, 1)), np.array([1.0, 0.0])
    features, labels = np.zeros((4, 1)), np.array([0, 1, 1, 0])
    case = weight, bias, features, labels, np.zeros((2, 1)), np.array([0, 1])
    assert in_order(case, 2, learning_rate=0.0, rounds=2) == [1, 2]
    assert in_order(case, 2, learning_rate=2.0, rounds=2) == [1, 0]


def test_what_is_missing_is_named():
    given_ = evidence(*problem(0))
    without = Given(given_.labels, 3, {}, given_.feature_rows, given_.output_rows)
    with pytest.raises(ValueError, match=r"^no validation images were given$"):
        glister(without, 2, np.random.default_rng(0), epoch=0)
    held = HeldOut(given_.validation.labels, given_.validation.outputs)
    without = Given(given_.labels, 3, {}, given_.feature_rows, given_.output_rows, validation=held)
    with pytest.raises(ValueError, match=r"^needs the features of the validation images too$"):
        glister(without, 2, np.random.default_rng(0), epoch=0)
