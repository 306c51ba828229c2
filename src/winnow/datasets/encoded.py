"""Images that stay encoded (JPEG, PNG, …), and are decoded whenever they are read, for pixels that would not fit the
disk."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from os import getpid
from typing import Any

import numpy as np

from winnow import cores
from winnow.errors import UserError

AT_ONCE = 16  # images that a thread decodes in one go, as small ones take less time than handing them over
AHEAD = 2  # requests that are being decoded while an earlier one is used


@dataclass(frozen=True)
class Encoded:
    """n images of one shape, as an array uint8 [n, channels, height, width] that decodes what is taken out of it.

    data: uint8, the files of all images one after another, a memory map; ends: int64 [n + 1], where each begins and
    ends. of_image: channels, height and width; resized: whether that is the size to which the files' own is changed.
    name: of an image by its row, for messages. The pixels are those of ``decode.decode_images``, byte for byte.
    """

    data: np.ndarray
    ends: np.ndarray
    of_image: tuple[int, int, int]
    resized: bool
    name: Callable[[int], str] = field(compare=False)

    def __len__(self) -> int:
        return len(self.ends) - 1

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self), *self.of_image)

    def __getitem__(self, index: Any) -> np.ndarray:
        """Raises UserError that names a damaged image."""
        if isinstance(index, int | np.integer):
            return self[np.array([index])][0]
        return next(self.several([index]))

    def several(self, wanted: Iterable[Any]) -> Iterator[np.ndarray]:
        """The pixels of each of several indices, slices or int [b], on all cores. While one is used, the next are being
        decoded."""
        requests, started = iter(wanted), list[list[Future[np.ndarray]]]()
        for index in requests:
            started.append(self._start(index))
            if len(started) > AHEAD:
                yield self._finished(started.pop(0))
        while started:
            yield self._finished(started.pop(0))

    def bytes_of(self, row: int) -> bytes:
        """The file of an image."""
        return self.data[self.ends[row] : self.ends[row + 1]].tobytes()

    def _start(self, index: Any) -> list[Future[np.ndarray]]:
        rows = np.arange(len(self))[index] if isinstance(index, slice) else np.asarray(index)
        rows = np.where(rows < 0, rows + len(self), rows)
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"there are {len(self)} images")
        parts = (rows[first : first + AT_ONCE].tolist() for first in range(0, len(rows), AT_ONCE))
        return [_threads(getpid()).submit(self._decode, part) for part in parts]

    def _finished(self, parts: list[Future[np.ndarray]]) -> np.ndarray:
        found = [part.result() for part in parts]
        return np.concatenate(found) if found else np.empty((0, *self.of_image), np.uint8)

    def _decode(self, rows: list[int]) -> np.ndarray:
        from winnow.datasets.decode import decode

        channels, height, width = self.of_image
        found = np.empty((len(rows), *self.of_image), np.uint8)
        for place, row in enumerate(rows):
            image = decode(self.name(row), self.bytes_of(row), (height, width) if self.resized else None)
            if image.shape[:2] != (height, width) or (image.ndim == 3 and channels == 1):
                raise UserError(f"{self.name(row)}: is of another shape than the beginning of its file says")
            found[place] = image.transpose(2, 0, 1) if image.ndim == 3 else image
        return found


@cache
def _threads(_process: int) -> ThreadPoolExecutor:
    """Of this process: a fork has none of its parent's."""
    return ThreadPoolExecutor(cores.available(), thread_name_prefix="decode")
