"""The Hessian's diagonal against a dense Hessian with the same signs, and the groups by plain sums."""

import itertools
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.pruning.criteria.given import by_hand, context, in_double, random_mask
from tests.training.small import CLASSES
from winnow.pruning.criteria import hessian as module
from winnow.pruning.criteria.hessian import hessian, hessian_diagonal, signs


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Tanh(), nn.Flatten(), nn.Linear(48, CLASSES))


def test_the_diagonal_is_the_mean_of_products_with_a_dense_hessian():
    made = network()
    mask = random_mask(made, 0.3)
    given = context(made, mask=mask)
    found = {name: diagonal.cpu() for name, diagonal in hessian_diagonal(given, 2, 9, probes=3).items()}
    rows, double = in_double(2, 9), nn.Sequential(*made).cpu().double().eval()
    names = list(mask)

    def loss(live: Tensor) -> Tensor:
        parts = live.split([int(mask[name].sum()) for name in names])
        placed = {
            name: torch.zeros(mask[name].shape).double().masked_scatter(mask[name], part)
            for name, part in zip(names, parts, strict=True)
        }
        every = dict(double.state_dict()) | placed
        return sum(F.cross_entropy(torch.func.functional_call(double, every, (x,)), y) for x, y in rows) / 2

    live = torch.cat([double.get_parameter(name).detach()[mask[name]] for name in names])
    dense = torch.autograd.functional.hessian(loss, live)
    expected = torch.zeros_like(live)
    for probe in range(3):
        vector = torch.cat([signs(given, probe)[name][mask[name]] for name in names]).double()
        expected += vector * (dense @ vector) / 3
    flat = torch.cat([found[name][mask[name]] for name in names]).double()
    torch.testing.assert_close(flat, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))
    assert all(not found[name][~mask[name]].any() for name in names)


def test_the_mean_over_all_signs_is_the_exact_diagonal(monkeypatch):
    """A linear model of half of squares, whose Hessian is the inputs' second moment."""
    made, inputs = nn.Linear(5, 1, bias=False), torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    given = by_hand(made, inputs, torch.zeros(7), lambda outputs, _: outputs.square().mean() / 2)
    every = list(itertools.product([-1.0, 1.0], repeat=5))
    monkeypatch.setattr(module, "signs", lambda _, probe: {"weight": torch.tensor([every[probe]])})
    found = hessian(given, batch_size=7, probes=len(every), group="weight")["weight"]
    expected = made.weight.detach() ** 2 / 2 * inputs.square().mean(0)
    torch.testing.assert_close(found, expected)


def test_a_filter_has_the_mean_entry_of_its_remaining_weights_and_no_negative_score():
    made = network()
    mask = random_mask(made, 0.5)
    given = context(made, mask=mask)
    diagonal = hessian_diagonal(given, 1, 9, probes=2)["0.weight"]
    found = hessian(given, batch_size=9, probes=2)["0.weight"]
    weight = made.get_parameter("0.weight").detach()
    for row in range(3):
        kept = mask["0.weight"][row]
        entry = max(0.0, float(diagonal[row][kept].mean()))
        torch.testing.assert_close(found[row], weight[row] ** 2 / 2 * entry)


def test_another_seed_has_other_probes():
    given = context(network())
    one, other = signs(given, 0), signs(replace(given, seed=1), 0)
    assert not torch.equal(one["0.weight"], other["0.weight"])
    assert not torch.equal(one["0.weight"], signs(given, 1)["0.weight"])
