"""What a selection would cost, by hand; and that it is what choosing really asks for."""

from typing import Any

import numpy as np
import pytest

from winnow.comparison.cost import Recorder
from winnow.comparison.estimate import estimate, reads_of, shares_trained
from winnow.experiment import Params, load_params
from winnow.params.base import read_yaml, validate
from winnow.params.named import load_named
from winnow.recipe import expanded
from winnow.selection.choices import Choice, choices
from winnow.selection.choose import choose
from winnow.selection.evidence import Given, HeldOut


@pytest.fixture
def values(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The default experiment: ten networks of 8 epochs in two cohorts, five retrained for 30 epochs, select.epoch 4."""
    path = tmp_path_factory.mktemp("default") / "params.yaml"
    path.write_text(expanded("default"))
    load_params(path)
    return read_yaml(path)


def checked(values: dict[str, Any]) -> Params:
    return validate(Params, values, "params.yaml", named=load_named(values, "params.yaml"))


def choice(name: str, **options: object) -> Choice:
    return choices({name: options}, 4)[name]


EL2N = choice("el2n")


@pytest.mark.parametrize(
    "made",
    [EL2N, choice("random-equal"), choice("el2n-middle-perclass"), choice("ccs", score="el2n"), choice("moderate"),
     choice("graph_cut", epoch=8), choice("drop")],
    ids=lambda made: made.method,
)  # fmt: skip
def test_what_a_choice_asks_for_is_known_before_it_is_made(made: Choice) -> None:
    rng = np.random.default_rng(0)
    outputs = np.log(rng.dirichlet(np.ones(4), 40)).astype(np.float32)
    held_out = HeldOut(np.arange(40) % 4, outputs)
    evidence = Given(np.arange(40) % 4, 4, {"el2n": rng.random(40)}, rng.random((40, 3)), validation=held_out)
    recorder = Recorder(evidence)
    choose(recorder, made.method, made.options, 8, 0)
    assert reads_of(made) == [(kind, asked) for kind, asked in recorder.reads if "epoch" in asked]


def test_passes_and_seconds_by_hand(values: dict[str, Any]) -> None:
    times = {"early@a": 40.0, "early@b": 40.0, "retrain_full": 300.0}  # 1 second a pass, and 2
    found = estimate(checked(values), EL2N, 0.1, 1211, times)
    assert found is not None
    assert (found.choosing, found.scoring, found.training, found.teaching) == (10 * 4, 10, 5 * 30, 0)
    assert (found.choosing_seconds, found.training_seconds) == (pytest.approx(40 + 10 / 3), 300)
    assert found.longer == pytest.approx((150 + 40 + 10 / 3) / 150)
    taught = estimate(checked(values), choice("random"), 0.1, 1211, times, taught=True)
    assert taught is not None
    assert (taught.choosing, taught.teaching, taught.training_seconds) == (0, 5, pytest.approx(2 * (150 + 5 / 3)))


def test_with_equal_epochs_a_subset_costs_its_share(values: dict[str, Any]) -> None:
    values["retrain"]["budget"] = "epochs"
    found = estimate(checked(values), EL2N, 0.1, 1211, {})
    assert found is not None
    assert (found.training, found.training_seconds, found.choosing_seconds) == (pytest.approx(15), None, None)


def test_seconds_of_one_stage_do_for_the_other_if_the_networks_are_the_same(values: dict[str, Any]) -> None:
    found = estimate(checked(values), EL2N, 0.1, 1211, {"early@a": 40.0})
    assert found is not None and found.training_seconds == 150
    found = estimate(checked(values), EL2N, 0.1, 1211, {"retrain_full": 300.0})
    assert found is not None and found.choosing_seconds == pytest.approx(2 * (40 + 10 / 3))
    values["retrain"]["network"] = "lenet"
    found = estimate(checked(values), EL2N, 0.1, 1211, {"early@a": 40.0})
    assert found is not None and found.training_seconds is None


def test_folds_make_fewer_visits(values: dict[str, Any]) -> None:
    values["early"]["cohorts"] = {"a": {"seeds": [0, 1, 2, 3], "folds": 2}}
    found = estimate(checked(values), EL2N, 0.1, 1211, {"early@a": 16.0})  # 4 x 8 epochs of half of the images
    assert found is not None and found.choosing_seconds == pytest.approx(16 + 4 / 3)


def test_a_training_in_steps_needs_the_number_of_images(values: dict[str, Any]) -> None:
    values["trainings"]["short"] |= {"length": "1280 steps", "warmup": "0 steps", "decay_at": []}
    params = checked(values | {"spawn": {"at": []}})
    assert estimate(params, EL2N, 0.1, None, {}) is None
    found = estimate(params, EL2N, 0.1, 4096, {})
    assert found is not None and found.training == 5 * 1280 * 64 / 4096


def test_the_trainings_on_subsets_are_those_of_select_sweep_and_recipes(values: dict[str, Any]) -> None:
    assert shares_trained(checked(values), 1211) == [1.0] * (3 * 3 + 8)
    values["retrain"] |= {"budget": "epochs", "recipes": {"kd": {"teacher": "full", "budget": "steps"}}}
    assert shares_trained(checked(values), 1211) == [*[0.1, 0.3, 0.5] * 3, *[0.5] * 8, *[1.0] * 9]
