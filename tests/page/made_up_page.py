"""A small made-up experiment, whose names try to break out of the page."""

import json
from io import BytesIO

import numpy as np
import pandas as pd
from PIL import Image

from winnow.page.page import Experiment

EVIL = '</script><script>window.broken = true</script><img src=x onerror="window.broken = true">'
CLASSES = [EVIL, 'a, "b"', "$5\n&amp;", "{{ 7 * 7 }}"]
PARAMS = f"""
download: {{source: made_up}}
labels: {{file: null, noise: 0.25}}  # {EVIL}
networks: {{small: {{name: convnet, width: 4}}}}
trainings: {{short: {{length: 6 epochs, batch_size: 32}}}}
early: {{cohorts: {{a: [0, 1, 2]}}, network: small, training: short, epochs: [0, 4]}}
score: {{scores: [el2n, random], gradients: []}}
select: {{methods: [el2n, random], keep: [0.5, 0.1], epoch: 4}}
retrain: {{seeds: [7, 9], network: small, training: short, budget: steps}}
dense: {{seeds: [1, 2], network: small, training: short, rewind: 1 epoch}}
pruning: {{levels: {{l1: {{}}, l2: {{}}}}}}
"""


class Made(dict[str, bytes]):
    """Files by their path."""

    def read(self, path: str) -> bytes | None:
        return self.get(path)

    def names(self, folder: str) -> list[str]:
        return sorted(path for path in self if path.rpartition("/")[0] == folder)


def claim(verdict: str, effect: float | None = None, why: str = "because") -> dict[str, object]:
    low, high = (None, None) if effect is None else (effect - 1, effect + 2)
    unit = None if effect is None else "points"
    found = {"statement": f"It {verdict} {EVIL}", "verdict": verdict, "why": why}
    return {**found, "effect": effect, "low": low, "high": high, "unit": unit, "rule": "above 0", "source": "Somebody"}


def csv(rows: list[dict[str, object]]) -> bytes:
    return pd.DataFrame(rows).to_csv(index=False).encode()


def parquet(rows: pd.DataFrame) -> bytes:
    file = BytesIO()
    rows.to_parquet(file)
    return file.getvalue()


def png(width: int = 40, height: int = 30) -> bytes:
    file = BytesIO()
    Image.new("RGB", (width, height), "white").save(file, "PNG")
    return file.getvalue()


def scores(count: int) -> pd.DataFrame:
    rows = np.arange(count)
    return pd.DataFrame(
        {
            "id": [f"train/{EVIL}, {row}" if row % 2 else f"plain/{row:03}" for row in rows],
            "position": rows,
            "label": rows % len(CLASSES),
            "original_label": (rows + (rows % 5 == 0)) % len(CLASSES),
            "el2n_epoch0_mean": 1.0,
            "el2n_epoch4_mean": rows / count,
            "forgetting_epoch4_mean": np.where(rows < 3, np.inf, (count - rows) % 7),
            "random_mean": (rows * 7 % count) / count,
        }
    )


def files(count: int = 250) -> Made:
    table = scores(count)
    accuracy = [
        {"method": method, "keep": keep, "fraction": keep, "images": int(keep * count), "steps": 9, "seed": seed,
         "split": split, "accuracy": 0.9 - 0.1 * (method == EVIL) - 0.2 * (keep < 0.2) + seed / 1000, "loss": 0.5}
        for method, keeps in (("el2n", (0.1, 0.5)), (EVIL, (0.1, 0.5)), ("random", (0.1, 0.5)), ("full", (1.0,)))
        for keep in keeps for seed in (7, 9) for split in ("test", "validation")
    ]  # fmt: skip
    results = [
        {"level": level, "parent": parent, "variant": variant, "rewind": "dense", "data": "full", "seed": seed,
         "split": split, "density": density, "error": 0.02 + 0.01 * seed, "loss": 1.0}
        for level, parent, variant, density in (("dense", "", "dense", 1.0), ("l1", "dense", "imp", 0.6),
                                                ("l2", "l1", "imp", 0.01), ("o", "dense", "one_shot", 0.01))
        for seed in (1, 2) for split in ("train", "test")
    ]  # fmt: skip
    curves = pd.DataFrame({"detector": ["el2n"] * 3, "sample": ["in", "in", "out"], "recall": [0.1, 0.5, 0.4],
                           "precision": [1.0, 0.5, 0.9]})  # fmt: skip
    suspects = table.sort_values("el2n_epoch4_mean", ascending=False).head(20)
    return Made(
        {
            "params.yaml": PARAMS.encode(),
            "data/code/versions.json": json.dumps({"torch": "2.1", "numpy": EVIL}).encode(),
            "metrics/claims.json": json.dumps(
                {"D1": claim("holds", 3.0), "D2": claim("does not hold", -4.0), "D10": claim("cannot tell", 0.25),
                 "U1": claim("not computed", why=f"early.epochs: add {EVIL}")}
            ).encode(),
            "metrics/summary.json": json.dumps(
                {"full": 0.98, "el2n": 0.97, "random": 0.96, "dense": 0.026, "density": 0.028}
            ).encode(),
            "data/images/dataset.json": json.dumps(
                {"class_names": CLASSES, "images": {"train": count, "test": 50}, "source": EVIL}
            ).encode(),
            "data/scores/scores.parquet": parquet(table),
            "data/scores/suspects.csv": csv([{"id": name, "predicted": CLASSES[1], "el2n": 0.5, "given": CLASSES[0]}
                                             for name in suspects["id"]]),
            "data/analysis/detection.parquet": parquet(curves),
            "plots/accuracy.csv": csv(accuracy),
            "plots/differences.csv": csv([{"method": "el2n", "keep": 0.5, "fraction": 0.5, "baseline": "random",
                                           "difference": 0.01, "low": 0.002, "high": 0.018, "verdict": "above"}]),
            "plots/tickets/results.csv": csv(results),
            "plots/mine.csv": csv([{"name": EVIL, "big_number": n, "sure": True} for n in (10, 9, 1e-7, 1e300)]),
            "plots/pictures/accuracy.png": png(),
            "plots/pictures/detection.png": png(),
            "plots/pictures/something_new.png": png(1500, 40),
            "plots/ticket_pictures/errors.png": png(),
        }
    )  # fmt: skip


def experiment(made: Made | None = None, count: int = 250) -> Experiment:
    from ruamel.yaml import YAML

    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (count, 3, 32, 24), dtype=np.uint8)
    return Experiment(made or files(count), YAML(typ="safe").load(PARAMS), PARAMS, pixels)
