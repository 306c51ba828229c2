"""Folders and files on object storage, s3://bucket/folder, in place of paths; the plugin with which DVC reads remotes
does the work."""

import io
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

from winnow.errors import UserError
from winnow.params.download import REMOTE

BLOCK = 2**22  # bytes of a file that are asked for at a time
AHEAD = 8  # blocks that are on their way while an earlier one is read
BUFFER = 2**18  # bytes
# what the libraries say, and what to do about it
MEANINGS = {
    "NoCredentialsError": "no credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "EndpointConnectionError": "nothing answers at that address: see AWS_ENDPOINT_URL, the network, the VPN",
    "PermissionError": "the store refuses the key: see AWS_PROFILE or AWS_ACCESS_KEY_ID, and whether it may read there",
    "FileNotFoundError": "no such bucket or file",
}


@dataclass(frozen=True, order=True)
class Remote:
    """A file or a folder on object storage, with what shards need of ``Path``.

    Each call raises UserError that names the address if the store does not answer as it should.
    """

    url: str

    def __str__(self) -> str:
        return self.url

    def __truediv__(self, name: str) -> "Remote":
        return Remote(f"{self.url}/{name}")

    @property
    def parent(self) -> "Remote":
        return Remote(self.url.rpartition("/")[0])

    def exists(self) -> bool:
        return self._kind() == "file"

    def is_dir(self) -> bool:
        return self._kind() == "directory"

    def _kind(self) -> str | None:
        """What there is. Not by the library's isfile, which takes any error for no."""
        with _explained(self.url), suppress(FileNotFoundError):
            return str(_store().info(self.url)["type"])
        return None

    def glob(self, pattern: str) -> Iterator["Remote"]:
        with _explained(self.url):
            found = _store().glob(f"{self.url}/{pattern}")
        return (Remote(f"{REMOTE}{key}") for key in found)

    def read_text(self, encoding: str) -> str:
        with self.open() as file:
            return file.read().decode(encoding)

    @contextmanager
    def open(self, _mode: str = "rb") -> Iterator[IO[bytes]]:
        """The file, to be read from any place; who reads it in order waits less, as the next blocks are on their way.

        Raises UserError at the end if the file has changed meanwhile.
        """
        with _explained(self.url):
            before = _store().info(self.url)
        pool = ThreadPoolExecutor(AHEAD)
        try:
            yield io.BufferedReader(_Blocks(self.url, int(before["size"]), pool), BUFFER)
        finally:
            pool.shutdown(cancel_futures=True)
        with _explained(self.url):
            after = _store().info(self.url, refresh=True)
        if before.get("ETag") != after.get("ETag"):
            raise UserError(f"{self.url}: has changed while it was read; run this again")


def place(path: str) -> Path | Remote:
    """A folder of this machine or of object storage."""
    return Remote(path) if path.startswith(REMOTE) else Path(path)


class _Blocks(io.RawIOBase):
    """A remote file by its blocks, of which it keeps few."""

    def __init__(self, url: str, size: int, pool: ThreadPoolExecutor) -> None:
        self.url, self.size, self.pool = url, size, pool
        self.at = 0
        self.last = 0  # the number of the block that was read last
        self.blocks: dict[int, Future[bytes]] = {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        return self.at

    def tell(self) -> int:
        return self.at

    def readinto(self, buffer: Any) -> int:
        if self.at >= self.size:
            return 0
        number, start = divmod(self.at, BLOCK)
        part = self._block(number)[start : start + len(buffer)]
        buffer[: len(part)] = part
        self.at += len(part)
        return len(part)

    def _block(self, number: int) -> bytes:
        in_order = number == self.last + 1
        self.last = number
        wanted = range(number, min(number + AHEAD if in_order else number + 1, -(-self.size // BLOCK)))
        for each in [each for each in self.blocks if not number - 1 <= each < number + AHEAD]:
            self.blocks.pop(each).cancel()
        for each in wanted:
            if each not in self.blocks:
                self.blocks[each] = self.pool.submit(self._fetched, each)
        return self.blocks[number].result()

    def _fetched(self, number: int) -> bytes:
        start, end = number * BLOCK, min((number + 1) * BLOCK, self.size)
        with _explained(self.url):
            found: bytes = _store().cat_file(self.url, start=start, end=end)
        if len(found) != end - start:
            raise UserError(f"{self.url}: the store sent {len(found)} bytes of {end - start}; run this again")
        return found


@cache
def _store() -> Any:
    try:
        import fsspec

        return fsspec.filesystem("s3")
    except ImportError:
        extra = "install the extra s3 of winnow, such as pip install '.[s3]' in a clone"
        raise UserError(f"{REMOTE}…: reading it needs DVC's plugin: {extra}") from None


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Turn whatever the libraries raise about a store, in many classes, into a UserError that names the address."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        meaning = next((text for name, text in MEANINGS.items() if name in map(_name, type(error).__mro__)), None)
        raise UserError(f"{url}: {f'{meaning} ({said})' if meaning else said}") from None


def _name(kind: type) -> str:
    return kind.__name__
