"""Encoded images in tar files, in WebDataset's layout: the files of one image have one name, and differ in what follows
its first dot."""

import tarfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from winnow.datasets.decode import EXTENSIONS
from winnow.datasets.remote import Remote
from winnow.datasets.shards import Encoded, Shard, files_of, folder_of, source_of
from winnow.datasets.source import Source
from winnow.errors import UserError
from winnow.params.download import Download

NAMES = "classes.txt"  # beside the tar files: one class name per line, in the order of the labels


@dataclass
class _Sample:
    """One image of a tar file: its path there, where its bytes are, and its label, if they have been seen."""

    path: str = ""
    place: tuple[int, int] = (0, 0)  # offset and size in bytes
    label: int | None = None


def webdataset(params: Download) -> Source:
    """The images of train.tar and test.tar below ``params.path``, or of train-*.tar and test-*.tar.

    Every image has two files that follow each other, such as n01/7.jpg and n01/7.cls; the second holds its label, a
    whole number from 0. Other files of the image are passed over. Positions count images over all tar files. Class
    names are the lines of classes.txt, if it exists. Ids, and class names without it: see ``source_of``. Pixels: see
    ``decode_images``. The tar files are not compressed, so images are read where they lie.

    Raises UserError that names the tar file and the image where something is missing or damaged.
    """
    folder = folder_of(params, ".tar")
    names = _class_names(folder / NAMES)
    train, test = ([_read_shard(file, names) for file in files_of(folder, part, ".tar")] for part in ("train", "test"))
    return source_of(train, test, params)


def _class_names(file: Path | Remote) -> list[str] | None:
    if not file.exists():
        return None
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: not a readable text file ({error})") from None


def _read_shard(path: Path | Remote, names: list[str] | None) -> Shard:
    samples: dict[str, _Sample] = {}
    try:
        with path.open("rb") as data, tarfile.open(fileobj=data, mode="r:") as archive:
            for member in archive:
                if not member.isfile():
                    continue
                folder, _, file = member.name.rpartition("/")
                stem, _, ending = file.partition(".")
                sample = samples.setdefault(f"{folder}/{stem}", _Sample())
                if ending == "cls":
                    data.seek(member.offset_data)
                    sample.label = _label(data.read(member.size), f"{path} {member.name}")
                elif f".{ending.rpartition('.')[2].lower()}" in EXTENSIONS:
                    if sample.path:
                        raise UserError(f"{path}: {sample.path} and {member.name} are two images of one name")
                    sample.path, sample.place = member.name, (member.offset_data, member.size)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UserError(f"{path}: not a readable tar file without compression ({error})") from None
    for name, sample in samples.items():
        if not sample.path or sample.label is None:
            lacks = ".cls file with its label" if sample.path else f"image ({', '.join(EXTENSIONS)})"
            raise UserError(f"{path}: {name.removeprefix('/')} has no {lacks}")
    if not samples:
        raise UserError(f"{path}: has no images")
    found = list(samples.values())
    labels = np.array([sample.label for sample in found], dtype=np.int64)
    return Shard(path, labels, [sample.path for sample in found], names, partial(_encoded, path, found), "image")


def _label(text: bytes, name: str) -> int:
    if not text.strip().isdigit() or len(text) > 20:
        raise UserError(f"{name}: holds {text[:20]!r}; it must be the label, a whole number from 0")
    return int(text)


def _encoded(path: Path | Remote, samples: list[_Sample], count: int) -> Encoded:
    with path.open("rb") as data:
        for sample in samples[:count]:
            offset, size = sample.place
            data.seek(offset)
            yield f"{path} {sample.path}", data.read(size)
