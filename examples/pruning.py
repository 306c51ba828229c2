"""Prune your network with rewinding: train, set the smallest weights to zero, put the others back, train again."""

import copy

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

import winnow

torch.manual_seed(0)
pixels, labels = load_digits(return_X_y=True)
training, test = random_split(TensorDataset(torch.tensor(pixels / 16).float(), torch.tensor(labels)), [1300, 497])
network = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 10))


def train(epochs: int, mask: dict[str, torch.Tensor] | None = None) -> None:
    optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, weight_decay=5e-4)
    winnow.hold(network, mask or {}, optimizer)  # what is pruned stays zero after every step
    for _ in range(epochs):
        for inputs, targets in DataLoader(training, batch_size=50, shuffle=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(inputs), targets).backward()
            optimizer.step()


def error() -> float:
    return sum((network(x).argmax(1) != y).sum().item() for x, y in DataLoader(test, 500)) / len(test)


train(1)
rewind_point, mask = copy.deepcopy(network.state_dict()), None
train(10)
print(f"all weights: test error {error():.1%}")
for _ in range(4):
    mask = winnow.prune(network, 0.5, mask)
    winnow.rewind(network, rewind_point, mask)
    train(10, mask)
    print(f"{winnow.density(mask):.1%} of the weights: test error {error():.1%}")
