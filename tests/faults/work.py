"""The stages of a small project, in the way of Winnow's own: atomic files, tensors, tables, unfinished work that a
later run goes on from. They compute next to nothing, and do not import torch."""

import sys
from pathlib import Path

import numpy as np

from winnow.stages import _stage
from winnow.storage import load_json, load_tensors, map_tensor, save_json, save_rows, save_table, save_tensors

IMAGES, ROWS = Path("data/images"), 40
EPOCHS = 3


def images() -> None:
    rows = np.frombuffer(Path("in.txt").read_bytes() * ROWS * 64, np.uint8)[: ROWS * 64].reshape(ROWS, 64)
    save_rows(IMAGES / "train.safetensors", "pixels", rows.shape, [rows[:20], rows[20:]])
    save_json(IMAGES / "dataset.json", {"images": ROWS, "sum": int(rows.sum())})


def early(key: str) -> None:
    pixels = map_tensor(IMAGES / "train.safetensors", "pixels")
    folder = _stage.scratch()
    state = folder / "state.safetensors"
    done = load_tensors(state) if state.exists() else {"epoch": np.zeros(1, int), "weights": np.zeros(64, int)}
    for epoch in range(int(done["epoch"][0]), EPOCHS):
        step = pixels.astype(int).sum(axis=0) * (len(key) + epoch)
        done = {"epoch": np.array([epoch + 1]), "weights": done["weights"] * 3 + step + _item(key)}
        save_tensors(state, done)
    save_tensors(folder / "seed0" / "network.safetensors", {"weights": done["weights"]}, {"key": key})
    state.unlink()
    _stage.finish(folder, f"data/early/{key}")


def _item(key: str) -> int:
    from winnow.params.base import read_yaml

    return int(read_yaml("params.yaml")["items"][key])


def score() -> None:
    import pandas as pd

    folders = sorted(Path("data/early").iterdir())
    weights = {folder.name: load_tensors(folder / "seed0" / "network.safetensors")["weights"] for folder in folders}
    save_table("data/scores.parquet", pd.DataFrame(weights), {"images": load_json(IMAGES / "dataset.json")["images"]})


def loose() -> None:
    """An output that no .gitignore names beforehand."""
    save_json("made/loose.json", {"sum": load_json(IMAGES / "dataset.json")["sum"]})


def last() -> None:
    from winnow.storage import load_table

    table = load_table("data/scores.parquet")
    save_table("plots/last.csv", table)
    save_json("metrics.json", {"sum": int(table.to_numpy().sum()) + load_json("made/loose.json")["sum"]})


if __name__ == "__main__":
    name, *items = sys.argv[1:]
    sys.argv = [name, *items]  # as of a script of its own
    _stage.main({"images": images, "early": early, "score": score, "loose": loose, "last": last}[name])
