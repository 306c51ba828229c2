"""Encoded images in parquet files, in the layout of image data sets on the Hugging Face hub."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from winnow.datasets.decode import decode_images
from winnow.datasets.images import Images
from winnow.datasets.source import Source
from winnow.errors import UserError
from winnow.params.download import Download

_IMAGE_COLUMNS = ("image", "img")
_NEEDED = "image (or img; a struct with bytes and path) and label (whole numbers)"
_BATCH = 256  # encoded images in memory at a time
_BUFFER = 2**20  # bytes to read from the file at a time


@dataclass(frozen=True)
class _Shard:
    """All of one file but its images."""

    file: Path
    image: str  # name of the column
    labels: np.ndarray  # int64 [n]
    paths: list[str | None]  # n file names, or None
    class_names: list[str] | None  # from the hub's metadata


def parquet(params: Download) -> Source:
    """The rows of train.parquet and test.parquet below ``params.path``, or train-*.parquet and test-*.parquet.

    Columns: ``image`` (or ``img``), a struct of the encoded ``bytes`` and a ``path``; ``label``, a whole number from 0.
    Positions are row numbers. An id is "train/" or "test/" and the row's path, if every row of the split has its own
    path, else the row number. Class names come from the hub's metadata. Without it they are the names of the paths'
    folders, if each label has one folder and each folder one label, else the labels. Pixels: see ``decode_images``.

    If the params ask for the first images only, only those are decoded; all labels and paths are read and checked.

    Raises UserError that names the file and row where something is missing or damaged.
    """
    folder = Path(params.path or "")
    if not folder.is_dir():
        raise UserError(f"download.path: {folder}: no such folder; it must hold train.parquet and test.parquet")
    train = [_read_shard(file) for file in _files(folder, "train")]
    test = [_read_shard(file) for file in _files(folder, "test")]
    class_names = _class_names(train, test)
    return Source(
        _read_split("train", train, params.first, params.size),
        _read_split("test", test, params.first_test, params.size),
        class_names,
    )


def _files(folder: Path, part: str) -> list[Path]:
    whole = folder / f"{part}.parquet"
    files = [whole] if whole.exists() else sorted(folder.glob(f"{part}-*.parquet"))
    if not files:
        raise UserError(
            f"{whole}: no such file, nor any {part}-*.parquet; download.path must hold train and test parquet"
        )
    return files


def _read_shard(path: Path) -> _Shard:
    try:
        with pq.ParquetFile(path) as file:
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
    return _Shard(path, image, labels.to_numpy().astype(np.int64), paths, _names_in_metadata(schema))


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


def _class_names(train: Sequence[_Shard], test: Sequence[_Shard]) -> list[str]:
    """The name of every label from 0 on. Raises UserError if labels of the two splits do not fit them."""
    first, *others = [*train, *test]
    for shard in others:
        if shard.class_names != first.class_names:
            raise UserError(f"{shard.file}: other class names than in {first.file}; a label must mean the same in both")
    present = {int(label) for shard in train for label in np.unique(shard.labels)}
    classes = len(first.class_names or present)
    _check_range(train, classes if first.class_names else max(present) + 1)
    for label in range(classes):
        if label not in present:
            name = f" ({first.class_names[label]!r})" if first.class_names else ""
            raise UserError(f"{first.file.parent}: label {label}{name} is a class with no image in the train part")
    _check_range(test, classes)
    return first.class_names or _names_of_folders([*train, *test], classes) or [str(label) for label in range(classes)]


def _check_range(shards: Sequence[_Shard], classes: int) -> None:
    for shard in shards:
        wrong = np.flatnonzero((shard.labels < 0) | (shard.labels >= classes))
        if len(wrong):
            label = shard.labels[wrong[0]]
            raise UserError(f"{shard.file} row {wrong[0]}: the label is {label}; labels go from 0 to {classes - 1}")


def _names_of_folders(shards: Sequence[_Shard], classes: int) -> list[str] | None:
    """The folder of each label's paths, such as "cat" in "cat/12.jpg"; None if they are not one to one."""
    pairs = {
        (label, PurePosixPath(path).parent.name if path else "")
        for shard in shards
        for label, path in zip(shard.labels.tolist(), shard.paths, strict=True)
    }
    names = dict(pairs)
    if len(pairs) == len(names) == len(set(names.values())) and all(names.values()):
        return [names[label] for label in range(classes)]
    return None


def _read_split(part: str, shards: Sequence[_Shard], first: int | None, size: tuple[int, int] | None) -> Images:
    labels = np.concatenate([shard.labels for shard in shards])
    paths = [path for shard in shards for path in shard.paths]
    named = None not in paths and len(set(paths)) == len(paths)
    count = min(len(labels), first or len(labels))
    ids = np.array([f"{part}/{paths[row] if named else row}" for row in range(count)])
    pixels = decode_images(_encoded(shards, count), count, size, f"read {part}")
    return Images(pixels, labels[:count], ids, np.arange(count))


def _encoded(shards: Sequence[_Shard], count: int) -> Iterator[tuple[str, bytes]]:
    """The first ``count`` encoded images, each with its file and row."""
    left = count
    for shard in shards:
        if not left:
            return
        try:
            # without these options it would read the images of a whole row group at once
            with pq.ParquetFile(shard.file, pre_buffer=False, buffer_size=_BUFFER) as file:
                row = 0
                for batch in file.iter_batches(batch_size=_BATCH, columns=[f"{shard.image}.bytes"]):
                    for data in pc.struct_field(batch.column(0), "bytes").to_pylist()[:left]:
                        name = f"{shard.file} row {row}"
                        if data is None:
                            raise UserError(f"{name}: the image is null; every row needs its encoded bytes")
                        yield name, data
                        row, left = row + 1, left - 1
                    if not left:
                        return
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(shard.file, error) from None


def _unreadable(path: Path, error: Exception) -> UserError:
    return UserError(f"{path}: not a readable parquet file ({' '.join(str(error).split())})")
