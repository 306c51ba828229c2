"""The scripts for a GPU, at a tiny size on the CPU: when there is a GPU, it only measures."""

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

GPU = Path("benchmarks/gpu").absolute()


@pytest.fixture(scope="module")
def cifar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of CIFAR-10's shape, in files of its form."""
    folder, rng = tmp_path_factory.mktemp("cifar"), np.random.default_rng(0)
    for split, count in (("train", 600), ("test", 100)):
        labels = np.arange(count) % 10
        images = []
        for number, label in enumerate(labels):
            pixels = rng.integers(20 * label, 20 * label + 60, (32, 32, 3)).astype(np.uint8)
            file = io.BytesIO()
            Image.fromarray(pixels).save(file, "PNG")
            images.append({"bytes": file.getvalue(), "path": f"{label}/{split}{number}.png"})
        pd.DataFrame({"image": images, "label": labels}).to_parquet(folder / f"{split}.parquet")
    return folder


def run(script: str, *words: object) -> str:
    environment = {**os.environ, "WINNOW_DEVICE": "cpu", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(GPU / script), *map(str, words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_diet(cifar: Path, tmp_path: Path) -> None:
    run("diet.py", cifar, "--out", tmp_path, "--tiny")
    scores = pd.read_parquet(tmp_path / "scores.parquet")
    assert len(scores) == 600
    assert scores[["el2n_epoch2", "grand_epoch0"]].notna().all(axis=None)
    found = json.loads((tmp_path / "diet.json").read_text())
    arms = [(row["method"], row["fraction"]) for row in found["results"]]
    assert arms == [("random", 1.0), ("random", 0.5), ("el2n", 0.5), ("random", 0.3), ("el2n", 0.3), ("grand", 0.5)]
    assert {len(row["accuracy"]) for row in found["results"]} == {3}


def test_tickets_and_going_on_with_them(cifar: Path, tmp_path: Path) -> None:
    words = ("tickets.py", cifar, "--tiny", "--out")
    run(*words, tmp_path / "whole")
    parts = tmp_path / "parts"
    shutil.copytree(tmp_path / "whole", parts)
    found = json.loads((parts / "tickets.json").read_text())
    (parts / "tickets.json").write_text(json.dumps({**found, "levels": found["levels"][:3]}))
    for path in [*parts.glob("level1-rewind2-*"), *parts.glob("level2-*")]:
        path.unlink()
    assert "no time is left" in run(*words, parts, "--seconds", 0)
    run(*words, parts)
    whole, parts = (json.loads((tmp_path / name / "tickets.json").read_text()) for name in ("whole", "parts"))
    assert [(row["level"], row["rewind"]) for row in whole["levels"]] == [
        (level, tau) for level in (0, 1, 2) for tau in (0, 2)
    ]
    for row in whole["levels"]:
        assert row["density"] == pytest.approx(0.8 ** row["level"], abs=0.002)
    assert [row["errors"] for row in whole["levels"]] == [row["errors"] for row in parts["levels"]]


def test_engine(tmp_path: Path) -> None:
    """The part that is quick on a CPU."""
    run("engine.py", "--tiny", "--out", tmp_path / "engine.json", "norms-small")
    found = json.loads((tmp_path / "engine.json").read_text())
    assert found["device"] == "cpu"
    assert found["results"]
    assert all(value > 0 for value in found["results"].values())
