"""The images that one can browse and correct: those of the highest scores, and the extremes of every class."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from winnow.analysis.extremes import extremes
from winnow.datasets.images import Pixels
from winnow.page.pictures import sprites
from winnow.report.looks import score_title
from winnow.scores.columns import column, parse_column
from winnow.scores.seed_scores import NO_EPOCH

OF_EVERY_SCORE = 500  # highest
MOST = 1500  # images, and
PIXELS = 1_500_000  # of all their small versions: what a page of 5 MB has room for
SIDE = 64  # pixels of a small version
SHOWN_FIRST = "el2n"
NO_DETECTOR = ("random", "input_norm")  # which say nothing of labels
EXTREMES = 5  # easiest and hardest of every class


@dataclass(frozen=True)
class Images:
    """All training images. table: of scores; predicted: class names by id, of those that are known; pixels: uint8
    [n, channels, height, width], in the table's order."""

    table: pd.DataFrame
    predicted: dict[str, str]
    pixels: Pixels
    class_names: Sequence[str]
    source: str


def last_scores(table: pd.DataFrame) -> dict[str, str]:
    """Of every score the column of its last epoch, by its title."""
    last: dict[str, int] = {}
    for name in table.columns:
        parsed = parse_column(name)
        if parsed:
            last[parsed[0]] = max(parsed[1], last.get(parsed[0], NO_EPOCH))
    first = sorted(last, key=lambda score: score != SHOWN_FIRST)
    return {
        score_title(score) + ("" if last[score] == NO_EPOCH else f", epoch {last[score]}"): column(score, last[score])
        for score in first
    }


def gallery(images: Images) -> dict[str, Any]:
    """What the page's script needs to browse images: a list for every fact, and sheets of small images.

    The images are the 500 highest of every score that can detect wrong labels, and the easiest and hardest of every
    class; fewer, where these are more than the page has room for.
    """
    table, scores = images.table, last_scores(images.table)
    if table.empty or not scores:
        return {}
    detectors = [name for name in scores.values() if parse_column(name)[0] not in NO_DETECTOR]  # type: ignore[index]
    ends = extremes(table, next(iter(scores.values())), EXTREMES)
    rows = _highest(table, detectors, ends["row"].tolist(), _room(images.pixels.shape))
    shown, names = table.iloc[rows], list(map(str, images.class_names))
    side_of = dict(zip(ends["row"], ends["side"], strict=True))
    return {
        "source": images.source,
        "classes": names,
        "of": len(table),
        "ids": shown["id"].astype(str).tolist(),
        "labels": shown["label"].tolist(),
        "originals": shown["original_label"].tolist(),
        "predicted": [images.predicted.get(name) for name in shown["id"]],
        "sides": [side_of.get(row) for row in rows],
        "scores": {title: [_json(value) for value in shown[name]] for title, name in scores.items()},
        "sprites": sprites(images.pixels, rows, SIDE).about(),
    }


def _room(shape: Sequence[int]) -> int:
    """How many small images the page has room for."""
    height, width = shape[-2:]
    shrink = min(1.0, SIDE / max(height, width))
    return min(MOST, int(PIXELS / (height * width * shrink**2)))


def _highest(table: pd.DataFrame, detectors: Sequence[str], first: Sequence[int], room: int) -> list[int]:
    """Row numbers: first these, then the highest of every detector in turn, rank by rank, as far as there is room."""
    order = [np.argsort(-table[name].to_numpy(float), kind="stable")[:OF_EVERY_SCORE] for name in detectors]
    ranked = [int(row) for ranks in zip(*order, strict=True) for row in ranks]
    return list(dict.fromkeys([*first, *ranked]))[:room]


def _json(value: float) -> float | str | None:
    """A score with four digits; infinity, which json does not have, as text."""
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return None if math.isnan(value) else float(f"{value:.4g}")
