"""What the early stage kept of one cohort's seeds: the input of every score."""

import errno
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from winnow.storage import load_tensors


@dataclass(frozen=True)
class EarlyRuns:
    """The runs below ``folder`` (``seed<s>/epoch<e>.safetensors``, as training.early writes them), the labels they were
    trained on (int64 [n]) and the folder of the data set. Tensors are read when they are asked for."""

    folder: Path
    labels: np.ndarray
    dataset: Path

    @cached_property
    def seeds(self) -> list[int]:
        found = sorted(int(path.name.removeprefix("seed")) for path in self.folder.glob("seed*"))
        if not found:
            raise FileNotFoundError(errno.ENOENT, "holds no seed<number> folder", str(self.folder))
        return found

    @cached_property
    def epochs(self) -> list[int]:
        files = (self.folder / f"seed{self.seeds[0]}").glob("epoch*.safetensors")
        return sorted(int(path.stem.removeprefix("epoch")) for path in files)

    @property
    def histories(self) -> list[Path]:
        """The tables of how each run went, one row per epoch."""
        return [self.folder / f"seed{seed}" / "history.csv" for seed in self.seeds]

    def checkpoint(self, seed: int, epoch: int) -> Path:
        """The file with the network's state after an epoch."""
        return self.folder / f"seed{seed}" / f"epoch{epoch}.safetensors"

    def log_probabilities(self, seed: int, epoch: int) -> np.ndarray:
        """float32 [n, classes]."""
        return load_tensors(self.checkpoint(seed, epoch), "log_probabilities")["log_probabilities"]

    def features(self, seed: int, epoch: int) -> np.ndarray:
        """The inputs of the last layer, float16 [n, d]. Raises UserError if they were not kept."""
        return load_tensors(self.checkpoint(seed, epoch), "features")["features"]

    def correct(self, seed: int) -> np.ndarray:
        """uint8 [epochs, n]: 1 right, 0 wrong, 2 not visited, as training.loop.Run.correct."""
        return load_tensors(self.folder / f"seed{seed}" / "correct.safetensors", "correct")["correct"]

    def seen(self, seed: int) -> np.ndarray:
        """Which images the seed trained on, bool [n]."""
        return load_tensors(self.folder / f"seed{seed}" / "seen.safetensors", "seen")["seen"].astype(bool)

    def only_seen(self, values: np.ndarray) -> np.ndarray:
        """Values of every seed, float [seeds, epochs, n], with NaN where the seed has not trained on the image."""
        seen = np.stack([self.seen(seed) for seed in self.seeds])
        return np.where(seen[:, None], values, np.full_like(values, np.nan))

    def margins(self, seed: int) -> np.ndarray:
        """float16 [epochs, n]: of the logits at each visit, NaN where not visited, as training.loop.Run.margins."""
        return load_tensors(self.folder / f"seed{seed}" / "margins.safetensors", "margins")["margins"]
