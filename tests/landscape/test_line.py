import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.landscape.tiny import images
from winnow.landscape.barrier import barrier
from winnow.landscape.batch_norm import recalibrate_on
from winnow.landscape.line import between, errors_along
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.training.batches import normalise
from winnow.training.evaluate import accuracy, log_probabilities, mean_loss

ALPHAS = np.linspace(0, 1, 11)
curves = st.lists(st.floats(-10, 10, allow_subnormal=False), min_size=2, max_size=12).map(np.array)


def networks() -> list[torch.nn.Module]:
    """Two of one architecture, with statistics of their own."""
    made = [initialise(Network(name="convnet", width=2), 3, (2, 6, 6), seed=seed) for seed in (0, 1)]
    for network in made:
        network(normalise(images(9, seed=5).pixels, images()))
    made[1](normalise(images(9, seed=6).pixels, images()))
    return made


def test_between_mixes_weights_and_floating_buffers():
    a = {"w": torch.tensor([0.0, 2.0]), "running_var": torch.tensor([1.0]), "num_batches_tracked": torch.tensor(5)}
    b = {"w": torch.tensor([4.0, 2.0]), "running_var": torch.tensor([3.0]), "num_batches_tracked": torch.tensor(8)}
    mixed = between(a, b, 0.25)
    assert mixed["w"].tolist() == [1.0, 2.0]
    assert mixed["running_var"].tolist() == [1.5]
    assert mixed["num_batches_tracked"] == 5
    with pytest.raises(ValueError, match="only one of the two states has w"):
        between(a, {name: b[name] for name in ("running_var", "num_batches_tracked")}, 0.5)


@given(st.integers(0, 1000))
def test_the_ends_are_the_states_themselves(seed: int):
    a, b = ({"w": w} for w in torch.randn(2, 100, generator=torch.Generator().manual_seed(seed)) * 100)
    assert torch.equal(between(a, b, 0.0)["w"], a["w"])
    assert torch.equal(between(a, b, 1.0)["w"], b["w"])


@pytest.mark.parametrize("statistics", ["recalibrated", "interpolated"])
def test_errors_are_those_of_the_networks_between(statistics):
    (a, b), parts, estimate_on = (
        networks(),
        {"train": images(40, seed=1), "test": images(15, seed=2)},
        images(30, seed=1),
    )
    states = [network.state_dict() for network in (a, b)]
    before = [{name: tensor.clone() for name, tensor in state.items()} for state in states]
    splits = {name: part.batches(10) for name, part in parts.items()}
    calibration = estimate_on.mixed() if statistics == "recalibrated" else None
    found = errors_along(a, *states, [0, 0.5, 1], splits, calibration)
    assert found["alpha"].tolist() == [0, 0, 0.5, 0.5, 1, 1]
    assert found["split"].tolist() == ["train", "test"] * 3
    assert all(torch.equal(was[name], t) for was, now in zip(before, states, strict=True) for name, t in now.items())
    middle = initialise(Network(name="convnet", width=2), 3, (2, 6, 6), seed=3)
    middle.load_state_dict(between(*before, 0.5))
    for alpha, network in ((0, a), (0.5, middle), (1, b)):
        if statistics == "recalibrated":
            recalibrate_on(network, estimate_on)
        for part, data in parts.items():
            outputs, labels = log_probabilities(network, data), data.labels.numpy()
            row = found[(found["alpha"] == alpha) & (found["split"] == part)]
            assert row["error"].item() == 1 - accuracy(outputs, labels)
            assert row["loss"].item() == pytest.approx(mean_loss(outputs, labels), rel=1e-6)


def test_barriers_by_hand():
    assert barrier([0, 0.5, 1], [0.1, 0.3, 0.1]) == pytest.approx((0.2, 0.5))
    assert barrier([0, 0.25, 0.5, 1], [0.1, 0.4, 0.35, 0.3]) == pytest.approx((0.25, 0.25))  # over the line, not an end
    height, place = barrier([0, 0.5, 1], [0.5, 0.2, 0.5])
    assert height == 0
    assert np.isnan(place)


@given(st.floats(-10, 10, allow_subnormal=False), st.floats(-10, 10, allow_subnormal=False), st.integers(2, 50))
def test_a_straight_line_has_no_barrier(start: float, end: float, count: int):
    alphas = np.linspace(0, 1, count)
    assert barrier(alphas, (1 - alphas) * start + alphas * end)[0] == 0


@given(curves, st.floats(-5, 5), st.floats(-5, 5))
def test_a_linear_function_changes_no_barrier(values: np.ndarray, slope: float, offset: float):
    alphas = np.linspace(0, 1, len(values))
    height = barrier(alphas, values)[0]
    assert barrier(alphas, values + slope * alphas + offset)[0] == pytest.approx(height, abs=1e-9)
    assert height >= 0


@given(curves)
def test_no_value_rises_above_the_line_by_more(values: np.ndarray):
    alphas = np.linspace(0, 1, len(values))
    height, place = barrier(alphas, values)
    line = values[0] + (values[-1] - values[0]) * alphas
    assert (values <= line + height + 1e-9).all()
    if height:
        assert values[alphas == place].item() == pytest.approx(np.interp(place, alphas, line) + height)
