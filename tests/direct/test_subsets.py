"""Subsets of a user's own examples, in memory."""

import numpy as np
import pytest

import winnow
from winnow.methods import names
from winnow.selection.choose import METHODS

LABELS = np.array([0, 1, 2] * 10)
SCORES = np.random.default_rng(0).permutation(30).astype(float)
FEATURES = np.random.default_rng(1).normal(size=(30, 4))
OUTPUTS = np.log(np.random.default_rng(3).dirichlet(np.ones(3), 30))


def test_the_highest_are_kept():
    chosen = winnow.select(LABELS, 0.2, scores=SCORES)
    assert chosen.rows.tolist() == sorted(np.argsort(SCORES)[-6:].tolist())
    assert chosen.weights is None
    assert winnow.select(LABELS, 6, scores={"loss": SCORES}).rows.tolist() == chosen.rows.tolist()
    assert winnow.select(LABELS, np.int64(6), scores=SCORES).rows.tolist() == chosen.rows.tolist()


def test_options_are_those_of_the_method():
    easiest = winnow.select(LABELS, 0.2, scores=SCORES, window=0.0)
    assert easiest.rows.tolist() == sorted(np.argsort(SCORES)[:6].tolist())
    by_class = winnow.select(LABELS, 9, scores=SCORES, per_class=True).rows
    assert np.bincount(LABELS[by_class]).tolist() == [3, 3, 3]
    hardest = set(np.argsort(SCORES)[-15:].tolist())
    assert not hardest & set(winnow.select(LABELS, 10, "ccs", scores=SCORES, cutoff=0.5, strata=5).rows.tolist())


def test_one_of_several_scores():
    both = {"up": SCORES, "down": -SCORES}
    down = winnow.select(LABELS, 5, scores=both, score="down").rows
    assert down.tolist() == sorted(np.argsort(SCORES)[:5].tolist())


def test_by_chance():
    first, same, other = (winnow.select(LABELS, 10, score="random", seed=seed).rows for seed in (0, 0, 1))
    assert first.tolist() == same.tolist() != other.tolist()
    assert len(set(first.tolist())) == 10


@pytest.mark.parametrize("method", names(METHODS))
def test_every_method_chooses_distinct_rows_in_their_order(method):
    further: dict = {"target_features": FEATURES[:4] + 1, "target_outputs": OUTPUTS[4:8]}
    further["validation"] = LABELS[:9], OUTPUTS[:9], FEATURES[:9]
    rows = winnow.select(LABELS, 7, method, scores=SCORES, features=FEATURES, outputs=OUTPUTS, **further).rows
    assert rows.dtype == np.int64
    assert len(rows) == 7
    assert (np.diff(rows) > 0).all()


def test_k_center_covers_separate_groups():
    features = np.repeat(np.eye(5) * 100, 6, axis=0) + np.random.default_rng(2).normal(size=(30, 5))
    rows = winnow.select(LABELS, 5, "k_center", features=features).rows
    assert sorted((rows // 6).tolist()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"keep": 0}, "keep: 0 is 0 of the 30"),
        ({"keep": 1.5}, "keep: 1.5 is 45 of the 30"),
        ({"method": "best"}, "'best' is not a selection method; there are "),
        ({"scores": None}, "scores: ranked chooses by a score: give scores"),
        ({"scores": {"a": SCORES, "b": SCORES}}, "give one of a, b as the option score"),
        ({"score": "c"}, "no score 'c' was given; there are scores"),
        ({"scores": SCORES[:-1]}, r"scores: scores must have a number for each of the 30 labels.*\[29\]"),
        ({"scores": np.full(30, np.nan)}, "none of them nan"),
        ({"method": "k_center"}, "no features were given"),
        ({"method": "drop"}, "no validation images were given"),
        ({"method": "k_center", "features": FEATURES[1:]}, "features: 29 rows for 30 labels"),
        ({"outputs": OUTPUTS[1:]}, r"outputs: must be \[n, classes\], here \[30, 3\] or wider; these are \[29, 3\]"),
        ({"outputs": OUTPUTS[:, 1:]}, r"these are \[30, 2\]"),
        ({"target_features": FEATURES}, "target_features: must be of the same network as features"),
        ({"features": FEATURES, "target_features": FEATURES[:, 1:]}, "target_features: must be of the same network"),
        ({"target_outputs": OUTPUTS[:, 1:]}, r"target_outputs: must be \[t, classes\], here \[t, 3\] or wider"),
        ({"method": "label_mapping"}, "no outputs for a target were given"),
        ({"method": "ccs", "cutoff": 1.5}, "cutoff: must be below 1.0, not 1.5"),
        ({"windw": 0.5}, "windw: no such key; did you mean window"),
        ({"window": 0.9}, "a window from 0.9 has no room"),
        ({"labels": LABELS / 2}, "labels: must be whole numbers"),
        ({"labels": LABELS - 1}, "labels: must be whole numbers from 0"),
    ],
)
def test_mistakes_name_the_argument(given, message):
    with pytest.raises(ValueError, match=message):
        winnow.select(**{"labels": LABELS, "keep": 6, "scores": SCORES, **given})
