import math

import torch

from winnow.landscape.perturb import random_direction

MASK = {"conv": torch.rand(8, 3, 3, 3, generator=torch.Generator().manual_seed(0)) < 0.4, "fc": torch.ones(5, 20) > 0}


def test_a_step_of_that_length_over_the_live_weights_only():
    step = random_direction(MASK, 2.5, seed=1, index=0)
    assert list(step) == ["conv", "fc"]
    assert step["conv"].dtype == torch.float32
    assert math.isclose(math.sqrt(sum(float(s.double().square().sum()) for s in step.values())), 2.5, rel_tol=1e-6)
    assert all(torch.equal(step[name] != 0, mask) for name, mask in MASK.items())


def test_steps_repeat_and_differ():
    def flat(*key: int) -> torch.Tensor:
        return torch.cat([s.flatten() for s in random_direction(MASK, 1.0, *key).values()])

    assert torch.equal(flat(1, 2), flat(1, 2))
    assert abs(float(flat(1, 2) @ flat(1, 3))) < 0.4  # 0.08 is the deviation of 172 weights
    assert abs(float(flat(1, 2) @ flat(2, 2))) < 0.4


def test_no_direction_is_preferred():
    steps = torch.stack([random_direction({"w": torch.ones(4) > 0}, 1.0, 0, i)["w"] for i in range(2000)])
    torch.testing.assert_close(steps.T @ steps / 2000, torch.eye(4) / 4, rtol=0, atol=0.03)


def test_the_order_of_the_names_does_not_matter():
    one = random_direction(MASK, 1.0, 0, 0)
    other = random_direction(dict(reversed(MASK.items())), 1.0, 0, 0)
    assert all(torch.equal(one[name], other[name]) for name in MASK)
