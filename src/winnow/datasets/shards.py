"""Encoded images in files with many images each: their names and labels, checked, and a source made of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from winnow.datasets.decode import READ
from winnow.datasets.images import Images
from winnow.datasets.remote import Remote, place
from winnow.datasets.source import Source
from winnow.errors import UserError
from winnow.params.download import Download

Encoded = Iterator[tuple[str, bytes]]  # the image's name for error messages, and its bytes


@dataclass(frozen=True)
class Shard:
    """All of one file but its images.

    labels: int64 [n]; paths: n names of image files, or None. class_names: if the file or its folder says them.
    encoded: a function of a count, which reads so many images, from the first on. item: what an image is called there.
    """

    file: Path | Remote
    labels: np.ndarray
    paths: list[str | None]
    class_names: list[str] | None
    encoded: Callable[[int], Encoded]
    item: str


def folder_of(params: Download, suffix: str) -> Path | Remote:
    """``params.path``. Raises UserError if there is no such folder."""
    folder = place(params.path or "")
    if not folder.is_dir():
        raise UserError(f"download.path: {folder}: no such folder; it must hold train{suffix} and test{suffix}")
    return folder


def files_of(folder: Path | Remote, part: str, suffix: str) -> Sequence[Path | Remote]:
    """The files of a part, such as train.parquet, or else all train-*.parquet. Raises UserError if there is none."""
    whole = folder / f"{part}{suffix}"
    files: list[Path | Remote] = [whole]
    if not whole.exists():
        files = sorted(folder.glob(f"{part}-*{suffix}"), key=str)
    if not files:
        raise UserError(
            f"{whole}: no such file, nor any {part}-*{suffix}; download.path must hold train and test {suffix[1:]}"
        )
    return files


def source_of(train: Sequence[Shard], test: Sequence[Shard], params: Download) -> Source:
    """The images of all shards, in their order.

    An id is "train/" or "test/" and the image's path, if every image of the split has its own path, else its number.
    Class names are those of the shards. If they have none, they are the names of the paths' folders, if each label has
    one folder and each folder one label, else the labels. If the params ask for the first images only, only those are
    decoded. Raises UserError that names the file and the image where something is missing or damaged.
    """
    class_names = _class_names(train, test)
    return Source(
        _read_split("train", train, params.first, params),
        _read_split("test", test, params.first_test, params),
        class_names,
    )


def _class_names(train: Sequence[Shard], test: Sequence[Shard]) -> list[str]:
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


def _check_range(shards: Sequence[Shard], classes: int) -> None:
    for shard in shards:
        wrong = np.flatnonzero((shard.labels < 0) | (shard.labels >= classes))
        if len(wrong):
            label = shard.labels[wrong[0]]
            raise UserError(
                f"{shard.file} {shard.item} {wrong[0]}: the label is {label}; labels go from 0 to {classes - 1}"
            )


def _names_of_folders(shards: Sequence[Shard], classes: int) -> list[str] | None:
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


def _read_split(part: str, shards: Sequence[Shard], first: int | None, params: Download) -> Images:
    labels = np.concatenate([shard.labels for shard in shards])
    paths = [path for shard in shards for path in shard.paths]
    named = None not in paths and len(set(paths)) == len(paths)
    count = min(len(labels), first or len(labels))
    ids = np.array([f"{part}/{paths[row] if named else row}" for row in range(count)])
    pixels = READ[params.keep](_encoded(shards, count), count, params.size, f"read {part}")
    return Images(pixels, labels[:count], ids, np.arange(count))


def _encoded(shards: Sequence[Shard], count: int) -> Encoded:
    """The first ``count`` images."""
    left = count
    for shard in shards:
        if not left:
            return
        there = min(left, len(shard.labels))
        yield from shard.encoded(there)
        left -= there
