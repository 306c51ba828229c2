"""The files that the stage early keeps of one cohort: the input of every score."""

import errno
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from winnow.errors import UserError
from winnow.scores.last_layer import LastLayer, last_weights
from winnow.storage import load_tensors, map_tensor


@dataclass(frozen=True)
class EarlyRuns:
    """The runs below ``folder`` (``seed<s>/epoch<e>.safetensors``, as training.early writes them), the labels they
    trained on (int64 [n]) and the folder of the data set. Each method reads its tensors when it is called."""

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
        """The history table of each run, one row per epoch."""
        return [self.folder / f"seed{seed}" / "history.csv" for seed in self.seeds]

    def checkpoint(self, seed: int, epoch: int) -> Path:
        """The checkpoint of the network after an epoch."""
        return self.folder / f"seed{seed}" / f"epoch{epoch}.safetensors"

    def log_probabilities(self, seed: int, epoch: int) -> np.ndarray:
        """float32 [n, classes], a read-only memory map: of many classes it may be larger than memory."""
        return map_tensor(self.checkpoint(seed, epoch), "log_probabilities", "F32")

    def features(self, seed: int, epoch: int) -> np.ndarray:
        """The inputs of the last layer, float16 [n, d], a map as well. Raises UserError if early did not keep them."""
        return map_tensor(self.checkpoint(seed, epoch), "features", "F16")

    def last_layer(self, seed: int, epoch: int) -> LastLayer:
        """The last layer of the network after an epoch. Raises UserError if early did not keep its inputs, and
        ValueError if it does not give the logits."""
        tensors = load_tensors(self.checkpoint(seed, epoch))
        if "features" not in tensors:
            raise UserError(f"early.features: {epoch} is not there: the inputs of the last layer were not kept")
        inputs, outputs = tensors["features"].astype(np.float32), tensors["log_probabilities"]
        weight, bias = last_weights(tensors, inputs, outputs)
        return LastLayer(inputs, weight, bias, outputs, self.labels)

    def on_validation(self, seed: int, epoch: int, name: str) -> np.ndarray:
        """log_probabilities or features of the validation images. Raises UserError if early did not keep them."""
        key = f"validation.{name}"
        return load_tensors(self.checkpoint(seed, epoch), key)[key]

    def correct(self, seed: int) -> np.ndarray:
        """uint8 [epochs, n]: 1 right, 0 wrong, 2 not visited, as in training.loop.Run.correct."""
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

    def losses(self, seed: int) -> np.ndarray:
        """float16 [epochs, n]: the cross-entropy at each visit, NaN where not visited, as training.loop.Run.losses."""
        return load_tensors(self.folder / f"seed{seed}" / "losses.safetensors", "losses")["losses"]

    def probabilities(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """float64 [epochs, n] each, at each visit: of the label, and the largest of the others; NaN where not visited.

        They follow from ``losses`` and ``margins``, which are rounded to float16, so that the second is wrong by about
        5e-4 of itself for every nat of loss and margin. It is kept from exceeding what the first leaves.
        """
        losses, margins = self.losses(seed).astype(np.float64), self.margins(seed).astype(np.float64)
        given = np.exp(-losses)
        with np.errstate(over="ignore", invalid="ignore"):
            return given, np.minimum(np.exp(-losses - margins), 1 - given)
