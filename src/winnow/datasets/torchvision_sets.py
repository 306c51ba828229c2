"""The small benchmark sets that torchvision downloads and checks: MNIST, Fashion-MNIST, CIFAR-10, CIFAR-100, SVHN."""

import gzip
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from torchvision import datasets
from torchvision.datasets.utils import check_integrity

from winnow.datasets.images import Images
from winnow.datasets.source import Source
from winnow.errors import UserError
from winnow.params.download import Download
from winnow.storage import atomic_folder

_DIGITS = [str(digit) for digit in range(10)]
_SILENCE = 60.0  # a download fails after so many seconds without a byte; torchvision alone would wait for ever


def torchvision_set(params: Download) -> Source:
    """One of torchvision's data sets in its own order; ids are "train/00000" and so on, by the index there.

    Each source has a folder below the one that the environment variable WINNOW_DOWNLOADS names (default:
    ``downloads``). Files are downloaded only if they are missing or incomplete. torchvision holds a set in memory.

    Raises UserError, with the reason and a remedy, if the download fails; it then leaves no partial files.
    """
    source = params.source
    folder = Path(os.environ.get("WINNOW_DOWNLOADS") or "downloads").expanduser() / source
    try:
        train, test = _load(source, folder, download=False)
    except Exception:  # torchvision, scipy and tarfile raise many classes for missing or partial files; one remedy
        train, test = _download(source, folder)
    return Source(
        _images(train, "train"),
        _images(test, "test"),
        list(train.classes) if source in ("fashion_mnist", "cifar10", "cifar100") else _DIGITS,
    )


def _load(source: str, folder: Path, download: bool) -> tuple[Any, Any]:
    """torchvision's data sets of the training and the test images below a folder."""
    if source == "svhn":
        return datasets.SVHN(folder, "train", download=download), datasets.SVHN(folder, "test", download=download)
    names = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST", "cifar10": "CIFAR10", "cifar100": "CIFAR100"}
    make = getattr(datasets, names[source])
    train, test = make(folder, train=True, download=download), make(folder, train=False, download=download)
    if isinstance(train, datasets.MNIST):
        _check_unpacked(train)
    return train, test


def _check_unpacked(dataset: datasets.MNIST) -> None:
    """Check that the four unpacked files of an MNIST equal the archives beside them, whose checksums torchvision knows.

    torchvision does not check the unpacked files, and no stage depends on them, so nothing else would notice a change.
    """
    for name, md5 in dataset.resources:
        archive = Path(dataset.raw_folder, name)
        unpacked = archive.with_suffix("").read_bytes()
        if not check_integrity(archive, md5) or gzip.decompress(archive.read_bytes()) != unpacked:
            raise RuntimeError(f"{archive}: the archive is not there, damaged, or not what lies unpacked beside it")


def _download(source: str, folder: Path) -> tuple[Any, Any]:
    """Download beside ``folder``, which appears once all files are there, checked and read.

    torchvision leaves truncated files in place, and trusts an unpacked MNIST without its checksum.
    """
    try:
        with atomic_folder(folder) as temporary, _timeout(_SILENCE):
            return _load(source, temporary, download=True)
    except Exception as error:  # failures of network, disk and archives share no class
        reason = " ".join(str(error).split()) or type(error).__name__
        reason = reason.replace(
            "File not found or corrupted.", "what came is cut off or damaged: its checksum is wrong"
        )
        raise UserError(
            f"download.source: {source} cannot be downloaded into {folder} ({reason}); try again, or set "
            "download.source to parquet or image_folder and download.path to a copy"
        ) from None


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _images(dataset: Any, part: str) -> Images:
    """From torchvision's pixels: [n, h, w] (MNIST), [n, h, w, c] (CIFAR) or [n, c, h, w] (SVHN)."""
    pixels = np.asarray(dataset.data)
    if pixels.ndim == 3:
        pixels = pixels[:, None]
    elif pixels.shape[-1] == 3:
        pixels = pixels.transpose(0, 3, 1, 2)
    labels = np.asarray(dataset.labels if isinstance(dataset, datasets.SVHN) else dataset.targets, dtype=np.int64)
    ids = np.array([f"{part}/{index:05d}" for index in range(len(labels))])
    return Images(pixels, labels, ids, np.arange(len(labels)))
