"""CIFAR-10 from a folder of parquet files, for the scripts here."""

import argparse
from pathlib import Path

import torch

from winnow.datasets.source import Source
from winnow.datasets.sources.parquet import parquet
from winnow.params.download import Download
from winnow.training.device import chosen_device

FACTS = {"mean": [0.4914, 0.4822, 0.4465], "std": [0.2470, 0.2435, 0.2616]}
WHERE = chosen_device()


def words(about: str | None) -> argparse.ArgumentParser:
    """What every script is asked: the folder, where results go, how long it may take, and whether only to show that it
    runs."""
    parser = argparse.ArgumentParser(description=(about or "").splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=500)
    parser.add_argument("--tiny", action="store_true", help="show that it runs")
    return parser


def images(folder: str, tiny: bool) -> Source:
    """All images, or a few."""
    few = {"first": 600, "first_test": 100} if tiny else {}
    return parquet(Download(source="parquet", path=folder, **few))


def device_name() -> str:
    return torch.cuda.get_device_name() if WHERE.type == "cuda" else "cpu"
