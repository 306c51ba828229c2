"""The code of CCS's authors: the cut-off and the strata."""

import functools
import importlib
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from authors.cases import SIZE, Case, Compare, Images, importing, ours

CUTOFF = 0.3


class Hardest:
    """In place of chance: of rows by rising difficulty, the last."""

    def choice(self, rows: np.ndarray, count: int, replace: bool) -> np.ndarray:
        return rows[::-1][:count]


def load(folder: Path) -> Compare:
    with importing(folder):
        theirs = importlib.import_module("core.data.Coreset").CoresetSelection

    def chosen(margins: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """As in its train.py. scores: what is stratified; margins: what is cut off."""
        key, margin = "score", "accumulated_margin"
        data = {key: torch.from_numpy(scores), margin: torch.from_numpy(margins)}
        cut = {"mis_key": margin, "mis_num": int(CUTOFF * len(margins)), "mis_descending": False}
        data, left = theirs.mislabel_mask(data, **cut, coreset_key=key)
        rows, _ = theirs.stratified_sampling(data, coreset_key=key, coreset_num=SIZE)
        return left[rows].numpy()

    def compare(images: Images) -> Iterator[Case]:
        margins, hard = images.margins, -images.margins
        given = images.evidence(hard=hard)
        own, hardest = (ours("ccs", given, rng, score="hard", cutoff=CUTOFF) for rng in (None, Hardest()))
        torch.manual_seed(0)
        why = "both draw at random in a stratum, with other generators"
        yield Case("ccs", "CCS", "", why, own, chosen(margins, margins))
        with mock.patch.object(torch, "randperm", torch.arange):  # its rows are by falling difficulty
            change = "both take the hardest of a stratum"
            ends = "its last stratum ends at 1.0001 times the highest score, so strata end elsewhere"
            ties = "strata of equal size may come in any order, and the later ones give more"
            yield Case("ccs", "CCS", change, f"{ends}; {ties}", hardest, chosen(margins, margins))
            at_0 = hard - np.sort(hard)[len(hard) - 1 - int(CUTOFF * len(hard))] + 1e-6
            change += ", its highest score is just above 0"
            yield Case("ccs", "CCS", change, ties, hardest, chosen(margins, at_0))
            with mock.patch.object(torch, "argsort", functools.partial(torch.argsort, stable=True)):
                change += ", strata of equal size in order"
                yield Case("ccs", "CCS", change, "", hardest, chosen(margins, at_0))

    return compare
