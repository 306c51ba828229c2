"""The small vision transformer: its size by hand, the images that it takes, and the criteria of language models."""

import pytest
import torch

import winnow
from winnow.networks import build, initialise
from winnow.params.training import Network
from winnow.pruning.masks import prunable


@pytest.mark.parametrize(
    ("shape", "patch"), [((3, 32, 32), 4), ((1, 28, 28), 4), ((1, 14, 14), 2), ((2, 8, 8), 1), ((1, 5, 5), 1)]
)
def test_parameters_are_counted_by_hand(shape: tuple[int, int, int], patch: int) -> None:
    network = build(Network(name="vit", width=32), 10, shape)
    tokens = (shape[1] // patch) ** 2 + 1  # with the class token
    before = (shape[0] * patch**2 + 1) * 32 + 32 + tokens * 32
    attention, mlp, norms = (32 + 1) * 96 + (32 + 1) * 32, (32 + 1) * 64 + (64 + 1) * 32, 2 * 64
    assert sum(each.numel() for each in network.parameters()) == before + 6 * (attention + mlp + norms) + 64 + 33 * 10
    assert network(torch.zeros(2, *shape)).shape == (2, 10)


def test_all_of_its_matrices_are_prunable() -> None:
    network = build(Network(name="vit", width=32), 10, (1, 8, 8))
    matrices = [name for name, weight in network.named_parameters() if name.endswith("weight") and weight.dim() > 1]
    assert prunable(network) == matrices
    assert len(matrices) == 1 + 6 * 4 + 1


def test_weights_belong_to_the_seed() -> None:
    first, second, other = (initialise(Network(name="vit"), 10, (1, 8, 8), seed) for seed in (1, 1, 2))
    for a, b, c in zip(first.parameters(), second.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, c) or not a.any() or bool((a == 1).all())


@pytest.mark.parametrize("criterion", ["wanda", "sparsegpt", "snip", "lrp"])
def test_criteria_prune_it(criterion: str) -> None:
    network = initialise(Network(name="vit", width=16), 3, (1, 8, 8), 1)
    batches = [(torch.randn(128, 1, 8, 8), torch.arange(128) % 3)]
    mask = winnow.prune(network, 0.5, criterion=criterion, allocation="uniform", loader=batches)
    left, size = sum(int(kept.sum()) for kept in mask.values()), sum(kept.numel() for kept in mask.values())
    assert left == round(0.5 * size)


def test_gradients_of_single_images_cover_it() -> None:
    network = initialise(Network(name="vit", width=16), 3, (1, 8, 8), 1)
    images, labels = torch.randn(3, 1, 8, 8), torch.tensor([0, 1, 2])
    norms = []
    for image, label in zip(images, labels, strict=True):
        network.eval().zero_grad()
        torch.nn.functional.cross_entropy(network(image[None]), label[None]).backward()
        norms.append(sum(float(w.grad.square().sum()) for w in network.parameters() if w.grad is not None) ** 0.5)
    assert winnow.score(network, [(images, labels)], "grand") == pytest.approx(norms, rel=1e-4)


@pytest.mark.parametrize(
    ("width", "shape", "message"),
    [(32, (1, 8, 9), "name: vit takes square images, not 8x9"), (24, (1, 8, 8), "width: vit takes a multiple of 16")],
)
def test_mistakes_are_named(width: int, shape: tuple[int, int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(Network(name="vit", width=width), 10, shape)
