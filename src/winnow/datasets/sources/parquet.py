"""Encoded images in parquet files, in the layout of image data sets on the Hugging Face hub."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from winnow.datasets.remote import Remote
from winnow.datasets.shards import Encoded, Shard, files_of, folder_of, source_of
from winnow.datasets.source import Source
from winnow.errors import UserError
from winnow.params.download import Download

_IMAGE_COLUMNS = ("image", "img")
_NEEDED = "image (or img; a struct with bytes and path) and label (whole numbers)"
_BATCH = 256  # encoded images in memory at a time
_BUFFER = 2**20  # bytes to read from the file at a time


def parquet(params: Download) -> Source:
    """The rows of train.parquet and test.parquet below ``params.path``, or train-*.parquet and test-*.parquet.

    Columns: ``image`` (or ``img``), a struct of the encoded ``bytes`` and a ``path``; ``label``, a whole number from 0.
    Positions are row numbers. Class names come from the hub's metadata. Ids, and class names without that: see
    ``source_of``. Pixels: see ``decode_images``.

    All labels and paths are read and checked, even if the params ask for the first images only.

    Raises UserError that names the file and row where something is missing or damaged.
    """
    folder = folder_of(params, ".parquet")
    train, test = ([_read_shard(file) for file in files_of(folder, part, ".parquet")] for part in ("train", "test"))
    return source_of(train, test, params)


def _read_shard(path: Path | Remote) -> Shard:
    try:
        with _opened(path) as file:
            schema = file.schema_arrow
            image = next((name for name in _IMAGE_COLUMNS if name in schema.names), None)
            if image is None or not _has_layout(schema, image):
                there = ", ".join(f"{field.name} ({field.type})" for field in schema)
                raise UserError(f"{path}: has the columns {' '.join(there.split())}; needed are {_NEEDED}")
            has_path = schema.field(image).type.get_field_index("path") >= 0
            table = file.read(columns=["label", *([f"{image}.path"] if has_path else [])])
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from None
    labels = table["label"].combine_chunks()
    if not len(labels):
        raise UserError(f"{path}: has no rows; every row is an image")
    if labels.null_count:
        raise UserError(f"{path} row {labels.is_null().index(True)}: the label is null; every image needs one")
    paths = pc.struct_field(table[image], "path").to_pylist() if has_path else [None] * len(labels)
    encoded = partial(_encoded, path, image)
    return Shard(path, labels.to_numpy().astype(np.int64), paths, _names_in_metadata(schema), encoded, "row")


def _has_layout(schema: pa.Schema, image: str) -> bool:
    column = schema.field(image).type
    if "label" not in schema.names or not pa.types.is_struct(column) or column.get_field_index("bytes") < 0:
        return False
    encoded = column.field("bytes").type
    binary = pa.types.is_binary(encoded) or pa.types.is_large_binary(encoded)
    return binary and pa.types.is_integer(schema.field("label").type)


def _names_in_metadata(schema: pa.Schema) -> list[str] | None:
    """The class names, if the ``datasets`` library has written them into the file's schema."""
    try:
        names = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]["label"]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else None


def _encoded(path: Path | Remote, image: str, count: int) -> Encoded:
    """The first ``count`` encoded images of the file."""
    try:
        # without these options it would read the images of a whole row group at once
        with _opened(path, pre_buffer=False, buffer_size=_BUFFER) as file:
            row = 0
            for batch in file.iter_batches(batch_size=_BATCH, columns=[f"{image}.bytes"]):
                for data in pc.struct_field(batch.column(0), "bytes").to_pylist()[: count - row]:
                    name = f"{path} row {row}"
                    if data is None:
                        raise UserError(f"{name}: the image is null; every row needs its encoded bytes")
                    yield name, data
                    row += 1
                if row == count:
                    return
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from None


@contextmanager
def _opened(path: Path | Remote, **options: Any) -> Iterator[pq.ParquetFile]:
    if isinstance(path, Path):
        with pq.ParquetFile(path, **options) as file:
            yield file
        return
    with path.open() as data, pq.ParquetFile(data, **options) as file:
        yield file


def _unreadable(path: Path | Remote, error: Exception) -> UserError:
    return UserError(f"{path}: not a readable parquet file ({' '.join(str(error).split())})")
