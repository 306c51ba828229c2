"""The probe: real networks for a moment, in processes of their own."""

import pytest

from winnow.cost.probe import started
from winnow.cost.work import Unit
from winnow.params.training import Network, Training

NETWORK = Network(name="convnet", width=4).model_dump_json()
TRAINING = Training(batch_size=32).model_dump_json()
SHAPE, CLASSES = (1, 8, 8), 10


def test_every_kind_of_work_has_a_cost_and_more_of_it_a_higher_one():
    step = Unit("step", NETWORK, TRAINING)
    large = Unit("step", NETWORK, Training(batch_size=512).model_dump_json())
    units = [
        step,
        large,
        Unit("step", NETWORK, TRAINING, networks=2, masked=True),
        Unit("twins", NETWORK, TRAINING),
        Unit("pass", NETWORK),
        Unit("gradient", NETWORK, score="grand"),
        Unit("product", NETWORK, group=32),
        Unit("gram", NETWORK, group=3),
    ]
    with started() as probe:
        before = probe.libraries
        found = dict(probe.measure(units, SHAPE, CLASSES))
        assert probe.device in ("cpu", "cuda")
        assert probe.libraries >= before > 0
    assert found.keys() == set(units)
    assert all(cost.seconds > 0 and cost.memory >= 0 for cost in found.values())
    assert found[large].seconds > 2 * found[step].seconds
    assert found[large].memory > found[step].memory
    from winnow.networks import build

    state = build(Network(name="convnet", width=4), CLASSES, SHAPE).state_dict().values()
    assert found[step].state == sum(tensor.numel() * tensor.element_size() for tensor in state)


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        (
            Unit("pass", Network(name="torchvision:no_such").model_dump_json()),
            "params.yaml: networks: torchvision:no_such",
        ),
        (Unit("gradient", NETWORK, score="no_such"), "no_such"),
    ],
)
def test_a_network_that_cannot_do_it_is_told_in_one_line(unit, said, user_error):
    with started() as probe, user_error(said):
        dict(probe.measure([unit], SHAPE, CLASSES))
