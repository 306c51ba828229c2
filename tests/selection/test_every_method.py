"""What holds for every selection method, also for one that is added later."""

from dataclasses import replace

import numpy as np
import pytest

from winnow import methods
from winnow.params.options import options
from winnow.selection.choose import METHODS, choose, method
from winnow.selection.evidence import Chosen, Given, HeldOut

IMAGES, CLASSES, FEW = 60, 3, 12


def images(seed: int = 0) -> Given:
    """As many images of every class, with a score and a network that has learned a little; and a few of a target."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(IMAGES) % CLASSES)
    features = rng.normal(size=(IMAGES, 5)) + 2 * rng.normal(size=(CLASSES, 5))[labels]
    outputs = np.log(rng.dirichlet(np.ones(CLASSES), IMAGES) + np.eye(CLASSES)[labels])
    outputs -= np.log(np.exp(outputs).sum(axis=1, keepdims=True))
    return Given(
        labels,
        CLASSES,
        {"el2n": rng.random(IMAGES)},
        features.astype(np.float32),
        outputs.astype(np.float32),
        validation=HeldOut(labels[::3], outputs[::3].astype(np.float32), features[::3].astype(np.float32) - 0.1),
        target_log_probabilities=outputs[:7].astype(np.float32),
        target_feature_rows=features[:7].astype(np.float32) + 0.1,
    )


def chosen(name: str, evidence: Given, size: int, seed: int = 0) -> Chosen:
    usual = {"epoch": 0, "score": "el2n", "scores": ["el2n"]}
    there = {option: value for option, value in usual.items() if option in options(method(name))}
    return choose(evidence, name, there, size, seed)


def draws(name: str) -> bool:
    """Whether the method's choice is a matter of chance."""
    return len({tuple(chosen(name, images(), FEW, seed).rows) for seed in range(5)}) > 1


ALL = methods.names(METHODS)
CERTAIN = [name for name in ALL if not draws(name)]
# from the second image of a class on: two images that are the nearest of each other gain the same
OFTEN_TIE = {"craig", "facility_location"}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("size", [1, CLASSES, IMAGES // 3, IMAGES])
def test_so_many_distinct_images_whose_weights_have_mean_1(name, size):
    found = chosen(name, images(), size)
    assert found.rows.dtype == np.int64
    assert len(found.rows) == len(set(found.rows.tolist())) == size
    assert set(found.rows.tolist()) <= set(range(IMAGES))
    if found.weights is not None:
        assert found.weights.dtype == np.float32
        assert found.weights.shape == (size,)
        assert (found.weights >= 0).all()
        assert found.weights.mean() == pytest.approx(1, rel=1e-6)
    again = chosen(name, images(), size)
    assert again.rows.tolist() == found.rows.tolist()


def test_only_some_methods_draw():
    assert {"ranked", "k_center", "moderate"} <= set(CERTAIN)
    assert "ccs" not in CERTAIN


@pytest.mark.parametrize("name", CERTAIN)
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_images_does_not_matter(name, seed):
    given, size = images(seed), CLASSES if name in OFTEN_TIE else FEW
    order = np.random.default_rng(seed).permutation(IMAGES)
    shuffled = replace(
        given,
        labels=given.labels[order],
        scores={score: values[order] for score, values in given.scores.items()},
        feature_rows=given.feature_rows[order],
        output_rows=given.output_rows[order],
    )
    assert sorted(order[chosen(name, shuffled, size).rows]) == chosen(name, given, size).rows.tolist()


@pytest.mark.parametrize("name", CERTAIN)
@pytest.mark.parametrize("seed", range(3))
def test_the_numbers_of_the_classes_do_not_matter(name, seed):
    given, size = images(seed), FEW
    number = np.random.default_rng(seed).permutation(CLASSES)
    old = np.argsort(number)
    renamed = replace(
        given,
        labels=number[given.labels],
        output_rows=given.output_rows[:, old],
        validation=replace(
            given.validation, labels=number[given.validation.labels], outputs=given.validation.outputs[:, old]
        ),
        target_log_probabilities=given.target_log_probabilities[:, old],
    )
    assert chosen(name, renamed, size).rows.tolist() == chosen(name, given, size).rows.tolist()
