"""torchvision's sources against small archives of the same layout, served by a server on this machine."""

import errno
import gzip
import hashlib
import pickle
import tarfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import scipy.io
from torchvision import datasets

from winnow.datasets.build import build, read
from winnow.errors import UserError
from winnow.params.download import Download

COUNTS = {"train": 40, "test": 20}


class Server:
    """Serves ``files`` by name and counts the requests; a name in ``cut_off`` breaks off half way."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut_off: set[str] = set()
        self.requests = 0
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.requests += 1
                name = self.path.rpartition("/")[2]
                data = owner.files.get(name)
                if data is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data[: len(data) // 2] if name in owner.cut_off else data)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def serve(self, name: str, data: bytes) -> str:
        """Offer a file; gives its checksum."""
        self.files[name] = data
        return hashlib.md5(data).hexdigest()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WINNOW_DOWNLOADS", str(tmp_path / "downloads"))
    monkeypatch.setenv("no_proxy", "*")  # the server is on this machine, whatever the tests' environment
    return tmp_path / "downloads"


def content(part: str, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Made-up pixels [n, c, h, w] and labels [n] with all of ten classes."""
    stream = np.random.default_rng(len(part))
    side = 28 if channels == 1 else 32
    pixels = stream.integers(256, size=(COUNTS[part], channels, side, side), dtype=np.uint8)
    return pixels, stream.permutation(COUNTS[part]) % 10


def offer_mnist(server: Server, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    resources = []
    for part, prefix in (("train", "train"), ("test", "t10k")):
        pixels, labels = content(part, 1)
        header = b"".join(number.to_bytes(4, "big") for number in (0x803, len(pixels), 28, 28))
        files = {"images-idx3": header + pixels.tobytes()}
        files["labels-idx1"] = (0x801).to_bytes(4, "big") + len(labels).to_bytes(4, "big") + bytes(labels.tolist())
        for kind, data in files.items():
            file = f"{prefix}-{kind}-ubyte.gz"
            resources.append((file, server.serve(file, gzip.compress(data))))
    monkeypatch.setattr(getattr(datasets, name), "mirrors", [server.url])
    monkeypatch.setattr(getattr(datasets, name), "resources", resources)


def offer_cifar(server: Server, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    kind = getattr(datasets, name)
    fine = "fine_" if name == "CIFAR100" else ""
    pixels, labels = content("train", 3)
    batches = {}
    for rows, (batch, _) in zip(
        np.array_split(np.arange(len(labels)), len(kind.train_list)), kind.train_list, strict=True
    ):
        batches[batch] = {"data": pixels[rows].reshape(len(rows), -1), f"{fine}labels": labels[rows].tolist()}
    pixels, labels = content("test", 3)
    batches[kind.test_list[0][0]] = {"data": pixels.reshape(len(pixels), -1), f"{fine}labels": labels.tolist()}
    batches[kind.meta["filename"]] = {kind.meta["key"]: [f"class {number}" for number in range(10)]}
    archive, sums = BytesIO(), {}
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for batch, value in batches.items():
            data = pickle.dumps(value)
            sums[batch] = hashlib.md5(data).hexdigest()
            member = tarfile.TarInfo(f"{kind.base_folder}/{batch}")
            member.size = len(data)
            tar.addfile(member, BytesIO(data))
    monkeypatch.setattr(kind, "url", server.url + kind.filename)
    monkeypatch.setattr(kind, "tgz_md5", server.serve(kind.filename, archive.getvalue()))
    for key in ("train_list", "test_list"):
        monkeypatch.setattr(kind, key, [[batch, sums[batch]] for batch, _ in getattr(kind, key)])
    monkeypatch.setattr(kind, "meta", {**kind.meta, "md5": sums[kind.meta["filename"]]})


def offer_svhn(server: Server, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    split_list = {}
    for part in ("train", "test"):
        pixels, labels = content(part, 3)
        buffer = BytesIO()
        scipy.io.savemat(buffer, {"X": pixels.transpose(2, 3, 1, 0), "y": np.where(labels == 0, 10, labels)[:, None]})
        file = f"{part}_32x32.mat"
        split_list[part] = [server.url + file, file, server.serve(file, buffer.getvalue())]
    monkeypatch.setattr(datasets.SVHN, "split_list", split_list)


DIGITS = list("0123456789")
SOURCES: dict[str, tuple[Callable[..., None], str, int, list[str]]] = {
    "mnist": (offer_mnist, "MNIST", 1, DIGITS),
    "fashion_mnist": (offer_mnist, "FashionMNIST", 1, datasets.FashionMNIST.classes),
    "cifar10": (offer_cifar, "CIFAR10", 3, [f"class {number}" for number in range(10)]),
    "cifar100": (offer_cifar, "CIFAR100", 3, [f"class {number}" for number in range(10)]),
    "svhn": (offer_svhn, "SVHN", 3, DIGITS),
}


def offer(source: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    SOURCES[source][0](server, monkeypatch, SOURCES[source][1])


def message(source: str) -> str:
    with pytest.raises(UserError) as raised:
        build(Download(source=source))
    text = str(raised.value)
    assert "\n" not in text
    assert text.startswith(f"download.source: {source} cannot be downloaded into ")
    assert "try again, or set download.source to parquet or image_folder and download.path to a copy" in text
    return text


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_is_downloaded_once_and_read_as_it_is(source, server, downloads, monkeypatch):
    offer(source, server, monkeypatch)
    _, _, channels, class_names = SOURCES[source]
    for attempt in ("download", "cache"):
        found = read(Download(source=source))
        for part, images in (("train", found.train), ("test", found.test)):
            pixels, labels = content(part, channels)
            assert np.array_equal(images.pixels, pixels)
            assert np.array_equal(images.labels, labels)
            assert images.labels.dtype == np.int64
            assert images.ids.tolist() == [f"{part}/{index:05d}" for index in range(COUNTS[part])]
            assert images.positions.tolist() == list(range(COUNTS[part]))
        assert found.class_names == class_names
        assert [entry.name for entry in downloads.iterdir()] == [source]
        if attempt == "download":
            server.files.clear()
            assert server.requests
            server.requests = 0
    assert server.requests == 0


@pytest.mark.parametrize("source", SOURCES)
def test_a_download_that_was_cut_off_leaves_nothing_and_is_made_up_for(source, server, downloads, monkeypatch):
    offer(source, server, monkeypatch)
    server.cut_off = {list(server.files)[-1]}  # the last, so that files that came whole are there before
    assert "checksum is wrong" in message(source)
    assert list(downloads.iterdir()) == []
    server.cut_off = set()
    assert len(read(Download(source=source)).train) == COUNTS["train"]


@pytest.mark.parametrize("source", SOURCES)
def test_a_file_that_is_another_than_expected(source, server, downloads, monkeypatch):
    offer(source, server, monkeypatch)
    name = next(iter(server.files))
    server.files[name] = b"<html>please log in</html>"
    assert "checksum is wrong" in message(source)
    assert list(downloads.iterdir()) == []


@pytest.mark.parametrize("source", SOURCES)
def test_without_network(source, server, downloads, monkeypatch):
    offer(source, server, monkeypatch)
    server.close()
    assert "Connection refused" in message(source)
    assert list(downloads.iterdir()) == []


def test_a_file_that_is_gone_from_its_server(server, downloads, monkeypatch):
    offer("svhn", server, monkeypatch)
    server.files.clear()
    assert "HTTP Error 404" in message("svhn")


@pytest.mark.parametrize("source", SOURCES)
def test_a_damaged_cache_is_not_trusted(source, server, downloads, monkeypatch):
    offer(source, server, monkeypatch)
    read(Download(source=source))
    largest = max(
        (file for file in downloads.rglob("*") if file.is_file() and file.suffix != ".gz"),
        key=lambda f: f.stat().st_size,
    )
    whole = largest.read_bytes()
    for damaged in (whole[:-100], whole[:-1] + bytes([whole[-1] ^ 1])):  # cut off; one bit is another
        largest.write_bytes(damaged)
        assert np.array_equal(read(Download(source=source)).train.pixels, content("train", SOURCES[source][2])[0])
        assert largest.read_bytes() == whole


def test_a_full_disk(server, downloads, monkeypatch):
    offer("cifar10", server, monkeypatch)

    def full(url: str, file: str) -> None:
        Path(file).write_bytes(b"the first bytes")
        raise OSError(errno.ENOSPC, "No space left on device", file)

    monkeypatch.setattr("torchvision.datasets.utils._urlretrieve", full)
    assert "No space left on device" in message("cifar10")
    assert list(downloads.iterdir()) == []


def test_downloads_that_cannot_be_written(server, downloads, monkeypatch):
    offer("cifar10", server, monkeypatch)
    downloads.write_text("a file where the folder should be")
    assert str(downloads) in message("cifar10")


def test_an_interrupted_download_leaves_nothing(server, downloads, monkeypatch):
    offer("cifar10", server, monkeypatch)

    def interrupt(url: str, file: str) -> None:
        Path(file).write_bytes(b"the first bytes")
        raise KeyboardInterrupt

    monkeypatch.setattr("torchvision.datasets.utils._urlretrieve", interrupt)
    with pytest.raises(KeyboardInterrupt):
        read(Download(source="cifar10"))
    assert list(downloads.iterdir()) == []


def test_the_default_folder_is_below_the_current_one(server, downloads, monkeypatch, tmp_path):
    offer("svhn", server, monkeypatch)
    monkeypatch.delenv("WINNOW_DOWNLOADS")
    monkeypatch.chdir(tmp_path)
    read(Download(source="svhn"))
    assert (tmp_path / "downloads/svhn/train_32x32.mat").exists()
