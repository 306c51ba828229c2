"""The claims about images, on made-up results: well inside each verdict, and on both sides of its borders."""

import numpy as np
import pytest
from scipy.stats import spearmanr, ttest_ind
from sklearn.metrics import roc_auc_score

from tests.claims.made_up import WELCH, children, diet, seed_scores, tickets, velocities, with_diet, with_tickets
from winnow.claims import data_diet
from winnow.claims.rules import CANNOT_TELL, FAILS, HOLDS, NOT_COMPUTED

HAIR = 0.01


def verdict_of(test, accuracy, **changes):
    return test(with_diet(diet(accuracy, **changes))).verdict


# All means are of full data at 98%: the margin is a tenth of the error, 0.2 points


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (1.0, HOLDS), (0.0 - 0.2 + WELCH + HAIR, HOLDS), (-0.2 + WELCH - HAIR, CANNOT_TELL),
        (-0.2 - WELCH + HAIR, CANNOT_TELL), (-0.2 - WELCH - HAIR, FAILS), (-5.0, FAILS),
    ],
)  # fmt: skip
def test_half_can_go_if_accuracy_surely_falls_by_less_than_the_margin(change, verdict):
    found = data_diet.half_can_go(with_diet(diet({("el2n", 0.5): 98 + change, ("full", 1.0): 98.0})))
    assert found.verdict == verdict
    assert found.effect == pytest.approx(change)
    assert (found.low, found.high) == pytest.approx((change - WELCH, change + WELCH), abs=1e-4)


def test_the_margin_is_half_a_point_where_errors_are_large():
    assert diet({("full", 1.0): 60.0}).margin == 0.5
    assert diet({("full", 1.0): 98.0}).margin == pytest.approx(0.2)


def test_half_is_the_fraction_nearest_to_it():
    accuracy = {("el2n", 0.6): 99.0, ("el2n", 0.45): 90.0, ("el2n", 0.1): 20.0, ("full", 1.0): 98.0}
    assert verdict_of(data_diet.half_can_go, accuracy) == FAILS


def test_networks_that_trained_for_fewer_steps_are_no_test_of_the_first_claim():
    half = diet({("el2n", 0.5): 98.0, ("full", 1.0): 98.0})
    half.accuracy.loc[half.accuracy["method"] == "full", "steps"] = 200
    found = data_diet.half_can_go(with_diet(half))
    assert found.verdict == NOT_COMPUTED
    assert found.why.startswith("retrain.budget")


@pytest.mark.parametrize(
    ("above", "verdict"),
    [
        (1.0, HOLDS), (WELCH + HAIR, HOLDS), (WELCH - HAIR, CANNOT_TELL), (0.2 - WELCH + HAIR, CANNOT_TELL),
        (0.2 - WELCH - HAIR, FAILS), (-3.0, FAILS),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("test", "method"),
    [(data_diet.moderate_beats_random, "el2n"), (data_diet.initial_grand_beats_random, "grand-epoch0")],
)
def test_a_method_beats_random_or_does_not(test, method, above, verdict):
    accuracy = {(method, 0.5): 90 + above, ("random", 0.5): 90.0, ("full", 1.0): 98.0}
    assert verdict_of(test, accuracy) == verdict


def test_one_moderate_fraction_is_enough_but_more_of_them_ask_for_more():
    one = {("random", 0.5): 90.0, ("el2n", 0.5): 90 + WELCH + HAIR, ("full", 1.0): 98.0}
    assert verdict_of(data_diet.moderate_beats_random, one) == HOLDS
    other = {("random", 0.7): 90.0, ("el2n", 0.7): 90.0, **one}
    assert verdict_of(data_diet.moderate_beats_random, other) == CANNOT_TELL
    assert verdict_of(data_diet.moderate_beats_random, {**other, ("el2n", 0.5): 91.0}) == HOLDS
    beside = {("random", 0.1): 50.0, ("el2n", 0.1): 10.0, **one}  # is not moderate
    assert verdict_of(data_diet.moderate_beats_random, beside) == HOLDS


@pytest.mark.parametrize(
    ("el2n", "grand", "verdict"),
    [
        (-9.0, -9.0, HOLDS), (-9.0, -WELCH, CANNOT_TELL), (-9.0, 0.5, FAILS), (5.0, -9.0, FAILS),
        (0.0, 0.0, CANNOT_TELL),
    ],
)  # fmt: skip
def test_both_scores_must_fall_below_random_at_the_smallest_fraction(el2n, grand, verdict):
    accuracy = {("random", 0.1): 60.0, ("el2n", 0.1): 60 + el2n, ("grand", 0.1): 60 + grand, ("full", 1.0): 98.0}
    accuracy |= {(method, 0.2): 90.0 for method in ("random", "el2n", "grand")}
    assert verdict_of(data_diet.extreme_falls_below_random, accuracy) == verdict


def test_one_of_the_scores_alone_can_refute_but_not_show_the_fall():
    accuracy = {("random", 0.1): 60.0, ("el2n", 0.1): 50.0, ("full", 1.0): 98.0}
    found = data_diet.extreme_falls_below_random(with_diet(diet(accuracy)))
    assert found.verdict == NOT_COMPUTED
    assert found.why.startswith("select.methods: add grand, at an epoch above 0. So far: random minus el2n at 0.1")
    assert verdict_of(data_diet.extreme_falls_below_random, {**accuracy, ("el2n", 0.1): 70.0}) == FAILS


def noisy(truth: np.ndarray, noise: float, seed: int) -> np.ndarray:
    """Six seeds of a score."""
    return truth + np.random.default_rng(seed).normal(0, noise, size=(6, len(truth)))


TRUTH = np.random.default_rng(9).normal(size=400)


def test_rankings_agree():
    own, same = seed_scores(noisy(TRUTH, 0.5, 0)), seed_scores(noisy(TRUTH, 0.5, 1))
    other = seed_scores(noisy(np.random.default_rng(8).normal(size=400), 0.5, 2))
    unrelated = np.random.default_rng(7).normal(size=400)
    means = [own.values[:, 0].mean(axis=0), noisy(np.zeros(400), 0.5, 3).mean(axis=0)]
    # so much of the truth that the rank correlation is just 0.5
    mixed = min(
        (part * TRUTH + (1 - part) * unrelated for part in np.linspace(0, 1, 101)),
        key=lambda values: abs(spearmanr(means[0], means[1] + values).statistic - 0.5),
    )
    border = seed_scores(noisy(mixed, 0.5, 3))

    def verdict(forgetting, grand, **changes):
        scores = {"el2n": own, "forgetting": forgetting, "grand": grand}
        return data_diet.rankings_agree(with_diet(diet(scores=scores, **changes)))

    assert verdict(same, same).verdict == HOLDS
    assert verdict(same, other).verdict == verdict(other, same).verdict == FAILS
    assert verdict(border, same).verdict == CANNOT_TELL
    unfinished = verdict(same, same, full_length="30 epochs")
    assert unfinished.verdict == NOT_COMPUTED
    assert unfinished.why.startswith("early.epochs: add 30")
    assert verdict(same, other, full_length="30 epochs").verdict == FAILS  # for GraNd it can be told


@pytest.mark.parametrize(
    ("above", "verdict"),
    [
        (1.0, HOLDS), (WELCH + HAIR, HOLDS), (WELCH - HAIR, CANNOT_TELL), (0.2 - WELCH + HAIR, CANNOT_TELL),
        (0.2 - WELCH - HAIR, FAILS), (-3.0, FAILS),
    ],
)  # fmt: skip
def test_averaging_matters_if_the_mean_of_all_networks_does_better_than_one(above, verdict):
    accuracy = {("el2n", 0.3): 90 + above, ("el2n-seeds1", 0.3): 90.0, ("el2n", 0.5): 99.0, ("full", 1.0): 98.0}
    found = data_diet.averaging_matters(with_diet(diet(accuracy)))
    assert (found.verdict, found.effect) == (verdict, pytest.approx(above))
    assert found.why.startswith("el2n minus that of 1 scoring network alone, at 0.3 kept: ")


def test_several_single_networks_are_a_sample():
    of_one = dict(zip(["el2n-seeds1", "el2n-seeds1-group2", "el2n-seeds1-group5"], [90.0, 92.0, 94.0], strict=True))
    accuracy = {(method, 0.3): mean for method, mean in {"el2n": 96.0, **of_one}.items()} | {("full", 1.0): 98.0}
    found = data_diet.averaging_matters(with_diet(diet(accuracy)))
    expected = ttest_ind([95.8, 96.0, 96.2], list(of_one.values()), equal_var=False).confidence_interval()
    assert found.effect == pytest.approx(4)
    assert (found.low, found.high) == pytest.approx(tuple(expected))
    assert found.verdict == CANNOT_TELL  # though with any one of them alone it would hold
    assert "3 scoring networks, each alone" in found.why


def test_averaging_is_over_networks_at_the_same_epoch_and_keep():
    other = {("el2n-seeds3", 0.3): 90.0, ("el2n-epoch0-seeds1", 0.3): 90.0, ("grand-seeds1", 0.3): 90.0}
    accuracy = {("el2n", 0.3): 95.0, ("el2n-seeds1", 0.5): 90.0, **other, ("full", 1.0): 98.0}
    found = data_diet.averaging_matters(with_diet(diet(accuracy)))
    assert (found.verdict, found.why) == (NOT_COMPUTED, "sweep.methods: add el2n-seeds1")
    late = {("el2n-epoch8", 0.3): 95.0, ("full", 1.0): 98.0}
    assert data_diet.averaging_matters(with_diet(diet(late))).why == "sweep.methods: add el2n-epoch8-seeds1"
    accuracy = {("el2n", 0.3): 95.0, ("el2n-seeds1", 0.3): 90.0, ("full", 1.0): 98.0}
    alone = diet(accuracy, scores={"el2n": seed_scores(np.zeros((1, 4)))})
    assert data_diet.averaging_matters(with_diet(alone)).why.startswith("early.cohorts: ")


@pytest.mark.filterwarnings("error")
def test_a_method_that_a_sweep_has_at_one_fraction_is_asked_for_at_the_others():
    accuracy = {("random", keep): 90.0 for keep in (0.1, 0.3, 0.5)} | {("full", 1.0): 98.0}
    swept = diet({**accuracy, ("el2n", 0.3): 90.0, ("grand-epoch0", 0.3): 90.0})
    for test, method in (
        (data_diet.half_can_go, "el2n"),
        (data_diet.moderate_beats_random, "el2n"),
        (data_diet.initial_grand_beats_random, "grand-epoch0"),
    ):
        found = test(with_diet(swept))
        assert found.verdict == NOT_COMPUTED
        assert found.why.startswith(f"select.methods: add {method}, which is at no fraction from 0.4 to 0.")
    assert data_diet.extreme_falls_below_random(with_diet(swept)).why.startswith("select.methods: add el2n and grand")


WINDOWS = ("el2n-window0", "el2n-window0.3", "el2n-window0.5", "el2n", "random")


@pytest.mark.parametrize(
    ("means", "verdict"),
    [
        ((90, 95, 96, 94), HOLDS), ((90, 95, 94, 99), FAILS), ((99, 95, 94, 90), FAILS),
        ((95, 95, 95, 95), CANNOT_TELL),
    ],
)  # fmt: skip
def test_the_best_window_lies_between(means, verdict):
    accuracy = {(method, 0.4): mean for method, mean in zip(WINDOWS, [*means, 80.0], strict=True)}
    assert verdict_of(data_diet.best_window_leaves_out_the_highest, {**accuracy, ("full", 1.0): 98.0}) == verdict


@pytest.mark.filterwarnings("error")
def test_windows_of_a_sweep_are_compared_where_all_of_them_are():
    accuracy = {(method, 0.4): mean for method, mean in zip(WINDOWS, [90, 95, 96, 94, 80.0], strict=True)}
    more = {(method, keep): 70.0 for method in ("el2n", "random") for keep in (0.1, 0.2)}
    more |= {("el2n-window0.3", 0.1): 70.0, ("el2n-seeds1", 0.4): 99.0}
    found = data_diet.best_window_leaves_out_the_highest(with_diet(diet({**accuracy, **more, ("full", 1.0): 98.0})))
    assert found.verdict == HOLDS
    assert "el2n-window0.5 minus el2n at 0.4 kept" in found.why


def test_the_best_window_is_chosen_on_the_validation_split():
    half = diet({**{(method, 0.4): 90.0 for method in WINDOWS}, ("full", 1.0): 98.0})
    rows = half.accuracy
    rows.loc[(rows["method"] == "el2n-window0.3") & (rows["split"] == "test"), "accuracy"] += 0.05
    rows.loc[(rows["method"] == "el2n-window0.5") & (rows["split"] == "validation"), "accuracy"] += 0.01
    found = data_diet.best_window_leaves_out_the_highest(with_diet(half))
    assert found.effect == pytest.approx(0)
    assert "el2n-window0.5 minus el2n at 0.4 kept" in found.why


def test_a_window_that_ends_with_the_highest_image_is_no_inner_one():
    accuracy = {(method, 0.7): 90.0 for method in ("el2n-window0", "el2n-window0.3", "el2n", "random")}
    assert verdict_of(data_diet.best_window_leaves_out_the_highest, {**accuracy, ("full", 1.0): 98.0}) == NOT_COMPUTED


def test_no_window_is_chosen_on_the_test_split():
    half = diet({**{(method, 0.4): 90.0 for method in WINDOWS}, ("full", 1.0): 98.0})
    half.accuracy.loc[half.accuracy["split"] == "validation", "accuracy"] = np.nan
    found = data_diet.best_window_leaves_out_the_highest(with_diet(half))
    assert (found.verdict, found.why.partition(":")[0]) == (NOT_COMPUTED, "download.validation")


CHANGED = np.arange(400) % 10 == 0


def shifted(shift: float) -> np.ndarray:
    return noisy(TRUTH + shift * CHANGED, 0.3, 4)


BORDER = min(np.linspace(0, 3, 301), key=lambda own: abs(roc_auc_score(CHANGED, shifted(own).mean(axis=0)) - 0.75))


@pytest.mark.parametrize(
    ("shift", "verdict"),
    [(3.0, HOLDS), (BORDER + 0.2, HOLDS), (BORDER, CANNOT_TELL), (BORDER - 0.2, FAILS), (0.0, FAILS)],
)
def test_wrong_labels_gather_at_the_top(shift, verdict):
    changed, scores = CHANGED, seed_scores(shifted(shift))
    found = data_diet.wrong_labels_gather_at_the_top(with_diet(diet(scores={"el2n": scores}, changed=changed)))
    assert found.verdict == verdict
    assert found.effect == pytest.approx(roc_auc_score(changed, scores.values[:, 0].mean(axis=0)), abs=1e-6)


UP, DOWN, MIXED = (0.1, 0.2, 0.3, 0.4), (0.4, 0.3, 0.2, 0.1), (0.2, 0.1, 0.4, 0.3)  # MIXED: rank correlation 0.6


@pytest.mark.parametrize(
    ("of_seeds", "effect", "verdict"),
    [
        ((UP, UP, MIXED), (1 + 1 + 0.6) / 3, HOLDS),
        ((DOWN, DOWN, MIXED[::-1]), -(1 + 1 + 0.6) / 3, FAILS),
        ((UP, DOWN, MIXED), 0.2, CANNOT_TELL),
        ((UP,), 1.0, CANNOT_TELL),
    ],
)
def test_velocity_rises_with_the_score_if_it_surely_does_over_seeds(of_seeds, effect, verdict):
    # the step from epoch 0 tells the same as that from 1
    table = velocities({(seed, epoch): values for seed, values in enumerate(of_seeds) for epoch in (0, 1)})
    found = data_diet.kernel_velocity_rises_with_the_score(with_diet(diet({}, velocities=table)))
    assert (found.verdict, found.effect) == (verdict, pytest.approx(effect))


def test_velocity_of_one_group_tells_nothing():
    found = data_diet.kernel_velocity_rises_with_the_score(with_diet(diet({}, velocities=velocities({(0, 0): [0.1]}))))
    assert (found.verdict, found.why.split(":")[0]) == (NOT_COMPUTED, "ntk.groups")


def test_auroc_counts_ties_as_halves():
    scores, positive = np.array([1.0, 1, 2, 3, 1]), np.array([True, False, True, False, False])
    assert data_diet.auroc(scores, positive) == roc_auc_score(positive, scores) == pytest.approx(3 / 6)


def test_a_ranking_transfers_if_the_scores_come_from_elsewhere():
    accuracy = {("el2n", 0.5): 95.0, ("random", 0.5): 90.0, ("full", 1.0): 98.0}
    assert verdict_of(data_diet.rankings_transfer, accuracy, transferred=True) == HOLDS
    assert verdict_of(data_diet.rankings_transfer, accuracy) == NOT_COMPUTED


# Of three seeds, the steps of parting, of 0, 10, 100 and 1000, from which on there is no barrier; 5000: never


@pytest.mark.parametrize(
    ("easy", "hard", "verdict", "places"),
    [
        ((0, 0, 0), (100, 100, 100), HOLDS, 2), ((0, 0, 10), (100, 1000, 1000), HOLDS, 7 / 3),
        ((10, 10, 10), (100, 100, 100), HOLDS, 1), ((10, 10, 10), (10, 100, 100), CANNOT_TELL, 2 / 3),
        ((0, 0, 0), (0, 0, 5000), CANNOT_TELL, 4 / 3), ((10, 10, 10), (10, 10, 10), CANNOT_TELL, 0),
        ((100, 100, 100), (10, 10, 10), FAILS, -1), ((1000, 5000, 5000), (0, 10, 0), FAILS, -10 / 3),
    ],
)  # fmt: skip
def test_easy_images_are_connected_earlier(easy, hard, verdict, places):
    def heights(firsts):
        return {at: [20.0 if at < first else 0.4 for first in firsts] for at in (0, 10, 100, 1000)}

    found = verdict_between(children({"lowest": heights(easy), "highest": heights(hard)}))
    assert found.verdict == verdict
    assert found.effect == pytest.approx(places)


def verdict_between(table):
    return data_diet.easy_images_are_connected_earlier(with_tickets(tickets({}, {}, children=table)))


@pytest.mark.parametrize(("height", "verdict"), [(0.5, CANNOT_TELL), (0.5 + HAIR, HOLDS)])
def test_half_a_point_is_no_barrier(height, verdict):
    hard = {0: [9.0, 9.0, 9.0], 10: [height] * 3, 100: [0.0] * 3}
    assert (
        verdict_between(children({"lowest": {0: [9.0] * 3, 10: [0.5] * 3, 100: [0.0] * 3}, "highest": hard})).verdict
        == verdict
    )


def test_a_barrier_that_comes_back_counts():
    easy = {0: [0.0] * 3, 10: [0.0] * 3, 100: [7.0] * 3, 1000: [0.0] * 3}
    hard = {0: [9.0] * 3, 10: [9.0] * 3, 100: [0.0] * 3, 1000: [0.0] * 3}
    assert verdict_between(children({"lowest": easy, "highest": hard})).effect == 2 - 3


def test_children_that_are_never_or_always_connected_tell_nothing():
    never, always = ({at: [height] * 3 for at in (0, 10)} for height in (9.0, 0.0))
    for easy, hard, verdict, why in (
        (never, never, NOT_COMPUTED, "spawn.at: add later steps: at 10 "),
        (always, always, CANNOT_TELL, "spawn.at: at 0 steps there is no barrier"),
    ):
        found = verdict_between(children({"lowest": easy, "highest": hard}))
        assert found.verdict == verdict
        assert found.why.startswith(why)
    for table, why in (
        (children({"lowest": {0: [0.0] * 3}, "highest": {0: [9.0] * 3}}), "spawn.at: add two steps or more"),
        (children({}, {0: [100.0] * 3, 10: [100.0] * 3}), "connectivity.subsets: give el2n"),
    ):
        found = verdict_between(table)
        assert found.verdict == NOT_COMPUTED
        assert found.why.startswith(why)


@pytest.mark.parametrize(
    ("above", "transferred", "verdict"),
    [
        ({"x": 2.0}, False, HOLDS), ({"x": 2.0, "y": 2.0}, False, HOLDS), ({"x": 2.0, "y": 0.1}, False, CANNOT_TELL),
        ({"x": 2.0, "y": -2.0}, False, FAILS), ({"x": 2.0}, True, FAILS), ({"x": 0.1, "y": -2.0}, False, FAILS),
    ],
)  # fmt: skip
def test_a_ranking_transfers_if_the_scores_of_every_source_beat_random(above, transferred, verdict):
    accuracy = {("random", 0.5): 90.0, ("el2n", 0.5): 88.0, ("full", 1.0): 98.0}
    accuracy |= {(f"el2n-from{source}", 0.5): 90 + points for source, points in above.items()}
    changes = {"transferred": transferred, "sources": list(above)}
    assert verdict_of(data_diet.rankings_transfer, accuracy, **changes) == verdict


def test_every_source_has_all_moderate_fractions_and_intervals_hold_together():
    accuracy = {("random", keep): 90.0 for keep in (0.5, 0.7)} | {("full", 1.0): 98.0}
    accuracy |= {("el2n-fromx", 0.5): 93.0, ("el2n-fromx", 0.7): 85.0, ("el2n-fromy", 0.5): 80.0}
    accuracy |= {("el2n-fromy", 0.7): 92.0, ("el2n-fromx-window0.1", 0.5): 10.0, ("el2n-fromx-window0.1", 0.7): 10.0}
    found = data_diet.rankings_transfer(with_diet(diet(accuracy, sources=["x", "y"])))
    assert found.verdict == HOLDS
    assert found.effect in (pytest.approx(3), pytest.approx(2))
    assert found.why.count("corrected for 4 comparisons") == 1
    assert all(f"el2n-from{source} minus random at" in found.why for source in "xy")


def test_a_source_that_no_method_uses_is_named():
    accuracy = {("random", 0.5): 90.0, ("el2n-fromx", 0.5): 95.0, ("full", 1.0): 98.0}
    found = data_diet.rankings_transfer(with_diet(diet(accuracy, sources=["x", "y"])))
    assert found.verdict == NOT_COMPUTED
    assert found.why.startswith("select.methods: add el2n-fromy, at an epoch above 0. So far: el2n-fromx minus random")
    assert verdict_of(data_diet.rankings_transfer, {**accuracy, ("el2n-fromx", 0.5): 80.0}, sources=["x", "y"]) == FAILS


def test_methods_of_a_source_are_not_taken_for_those_of_the_scored_networks():
    assert diet(methods=["random", "el2n-fromx"]).top("el2n") is None
    assert diet(methods=["random", "el2n-fromx"]).top("el2n", source="x") == "el2n-fromx"


@pytest.mark.parametrize(
    ("test", "key"),
    [
        (data_diet.half_can_go, "select.methods"),
        (data_diet.moderate_beats_random, "select.methods"),
        (data_diet.extreme_falls_below_random, "select.keep"),
        (data_diet.rankings_agree, "select.epoch"),
        (data_diet.initial_grand_beats_random, "select.methods"),
        (data_diet.averaging_matters, "select.methods"),
        (data_diet.best_window_leaves_out_the_highest, "select.methods"),
        (data_diet.wrong_labels_gather_at_the_top, "labels.noise"),
        (data_diet.easy_images_are_connected_earlier, "spawn.at"),
        (data_diet.rankings_transfer, "transfer.sources"),
    ],
)
def test_what_was_not_computed_names_the_key_that_would(test, key):
    for half in (diet(), diet({("random", 0.3): 90.0, ("full", 1.0): 98.0})):
        found = test(with_diet(half))
        assert (found.verdict, found.why.partition(":")[0]) == (NOT_COMPUTED, key)


def test_other_ways_to_rank_are_not_taken_for_the_plain_one():
    methods = {
        "random": {},
        "far": {"method": "k_center"},
        "classes": {"method": "ranked", "score": "el2n", "per_class": True},
        "start": {"method": "ranked", "score": "el2n", "epoch": 0},
        "late": {"method": "ranked", "score": "el2n", "epoch": 8},
    }
    half = diet(methods=methods)
    assert half.top("el2n") == "late"
    assert diet(methods={**methods, "usual": {"method": "ranked", "score": "el2n"}}).top("el2n") == "usual"
    assert half.top("el2n", epoch=0) == "start"
    assert half.top("grand") is None
