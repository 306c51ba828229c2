"""Small image sets on disk, for the tests of the sources that read files."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

IMAGE_TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def picture(seed: int, size: tuple[int, int] = (6, 5), grey: bool = False) -> np.ndarray:
    """Random pixels, uint8 [h, w] or [h, w, 3]."""
    shape = size if grey else (*size, 3)
    return np.random.default_rng(seed).integers(256, size=shape, dtype=np.uint8)


def encoded(pixels: np.ndarray, kind: str = "png") -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def write_folder(folder: Path, files: dict[str, np.ndarray]) -> Path:
    for name, pixels in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / name)
    return folder


def write_parquet(
    file: Path,
    images: list[bytes | None],
    labels: list[int | None],
    *,
    paths: list[str | None] | None = None,
    column: str = "image",
    metadata: dict[bytes, bytes] | None = None,
) -> None:
    rows = [{"bytes": data, "path": path} for data, path in zip(images, paths or [None] * len(images), strict=True)]
    table = pa.table(
        {column: pa.array(rows, IMAGE_TYPE), "label": pa.array(labels, pa.int64())}
    ).replace_schema_metadata(metadata)
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, file, row_group_size=3)
