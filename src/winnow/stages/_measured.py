"""Tables that are measured only once: each file keeps a hash of all that went into it, and one of the table itself."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from winnow.errors import UserError
from winnow.storage import load_provenance, load_table, save_table
from winnow.training.batches import DeviceImages

if TYPE_CHECKING:
    import pandas as pd


def is_measured(file: Path, inputs: str) -> bool:
    """Whether a parquet file holds, undamaged, what was measured from the inputs of this hash."""
    try:
        return file.exists() and load_provenance(file) == {"of": inputs, "is": _hash_of_table(load_table(file))}
    except UserError:  # damaged
        return False


def save_measured(file: Path, table: "pd.DataFrame", inputs: str) -> None:
    """Write what was measured from the inputs of this hash, as ``is_measured`` asks for."""
    save_table(file, table, {"of": inputs, "is": _hash_of_table(table)})


def hash_of(*inputs: Any) -> str:
    """A hash of json values."""
    return _hash(json.dumps(inputs).encode())


def hash_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_of_images(images: DeviceImages) -> str:
    """A hash of the pixels, the labels, and the scale and shift that make inputs of the pixels."""
    digest = hashlib.sha256()
    for pixels, labels in images.in_order(1000):
        digest.update(pixels.cpu().numpy().tobytes() + labels.cpu().numpy().tobytes())
    digest.update(images.scale.cpu().numpy().tobytes() + images.shift.cpu().numpy().tobytes())
    return digest.hexdigest()


def _hash_of_table(table: "pd.DataFrame") -> str:
    return _hash(table.to_csv(index=False).encode())


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
