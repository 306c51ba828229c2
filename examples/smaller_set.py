"""A smaller training set for your own loop: score every example with young networks, keep the harder half."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset, random_split

import winnow

torch.manual_seed(0)
digits = load_digits()
data = TensorDataset(torch.tensor(digits.data, dtype=torch.float32) / 16, torch.tensor(digits.target))
training, test = random_split(data, [1300, 497])


def train(dataset: Dataset, steps: int) -> nn.Module:
    network = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 10))
    optimizer = torch.optim.Adam(network.parameters(), 0.002)
    while steps > 0:
        for inputs, targets in DataLoader(dataset, batch_size=50, shuffle=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(inputs), targets).backward()
            optimizer.step()
            steps -= 1
    return network


def error(dataset: Dataset) -> float:
    """Of networks trained on it for as many steps as all data would get, the mean over five."""
    networks = [train(dataset, steps=520) for _ in range(5)]
    return sum((n(x).argmax(1) != y).sum().item() for n in networks for x, y in DataLoader(test, 500)) / 5 / len(test)


el2n = winnow.score([train(training, steps=78) for _ in range(5)], DataLoader(training, batch_size=500), "el2n")
labels = digits.target[training.indices]
hardest = winnow.select(labels, keep=0.5, scores=el2n)
chance = winnow.select(labels, keep=0.5, score="random")
print(f"all: {len(training)} examples, test error {error(training):.1%}")
for name, kept in (("hardest", hardest), ("random", chance)):
    print(f"{name}: {len(kept.rows)} examples, test error {error(Subset(training, kept.rows.tolist())):.1%}")
