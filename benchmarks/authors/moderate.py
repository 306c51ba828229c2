"""The code of Moderate's authors."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

from authors.cases import SIZE, Case, Compare, Images, importing, ours


def load(folder: Path) -> Compare:
    theirs = _module(folder)

    def compare(images: Images) -> Iterator[Case]:
        distance = theirs.get_distance(images.features, images.labels)
        pruned = theirs.get_prune_idx(SimpleNamespace(rate=SIZE / len(images.labels)), distance)
        kept = np.setdiff1d(np.arange(len(images.labels)), pruned)
        yield Case("moderate", "Moderate", "", "", ours("moderate", images.evidence()), kept)

    return compare


def slips(folder: Path) -> dict[str, bool]:
    """What is wrong beside what is compared, and whether it is so."""
    features = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    distance = _module(folder).get_distance(features, np.array([0, 0, 0, 0, 1]))
    return {"the only image of a class is not at distance 0 from its own median": bool(distance[-1] > 0)}


def _module(folder: Path) -> Any:
    with importing(folder), mock.patch.dict(sys.modules, {"utils": mock.MagicMock()}):  # its data sets and networks
        return importlib.import_module("selection")
