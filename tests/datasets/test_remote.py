"""Shards on object storage, read from a real server."""

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.datasets.pictures import encoded, picture
from tests.datasets.test_webdataset import LABELS, members, write_set, write_tar
from tests.pipeline.servers import BUCKET, s3_server
from winnow.cli.init import of_images
from winnow.datasets import remote
from winnow.datasets.build import read
from winnow.datasets.remote import Remote
from winnow.errors import UserError
from winnow.params.download import Download


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a store; this process may use it."""
    with s3_server(tmp_path_factory.mktemp("s3") / "server") as found:
        address = found.options["endpointurl"]
        settings = {**found.environment, "AWS_ENDPOINT_URL": address, "AWS_DEFAULT_REGION": "us-east-1"}
        with pytest.MonkeyPatch.context() as patched:
            for name, value in settings.items():
                patched.setenv(name, value)
            yield address


def put(name: str, data: bytes) -> Remote:
    import fsspec

    fsspec.filesystem("s3").pipe(f"{BUCKET}/{name}", data)
    return Remote(f"s3://{BUCKET}/{name}")


def put_folder(folder: Path, name: str) -> str:
    for file in folder.iterdir():
        put(f"{name}/{file.name}", file.read_bytes())
    return f"s3://{BUCKET}/{name}"


def message(source: str, path: str) -> str:
    with pytest.raises(UserError) as raised:
        read(Download(source=source, path=path))
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("block", [700, 2**22])
def test_tar_files_are_read_as_from_a_disk(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(remote, "BLOCK", block)
    folder = write_set(tmp_path / "here")
    (folder / "train.tar").rename(folder / "train-1.tar")
    write_tar(folder / "train-0.tar", [(f"0/{name}", data) for name, data in members(range(5))])
    (folder / "classes.txt").write_text("ä\nb\nc\n", encoding="utf-8")
    here, there = (read(Download(source="webdataset", path=path)) for path in (str(folder), put_folder(folder, "tar")))
    assert here.class_names == there.class_names == ["ä", "b", "c"]
    assert there.train.labels.tolist() == LABELS * 2
    for one, other in ((here.train, there.train), (here.test, there.test)):
        assert one.ids.tolist() == other.ids.tolist()
        np.testing.assert_array_equal(one.pixels, other.pixels)
    np.testing.assert_array_equal(
        there.train.pixels[:5], np.stack([picture(row).transpose(2, 0, 1) for row in range(5)])
    )


@pytest.mark.parametrize("block", [700, 2**22])
def test_parquet_is_read_as_from_a_disk(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(remote, "BLOCK", block)
    rows = [{"bytes": encoded(picture(row)), "path": f"{row}.png"} for row in range(5)]
    for part in ("train-0", "train-1", "test"):
        pq.write_table(pa.table({"image": rows, "label": LABELS}), tmp_path / f"{part}.parquet", row_group_size=2)
    here, there = (
        read(Download(source="parquet", path=path)) for path in (str(tmp_path), put_folder(tmp_path, "table"))
    )
    assert there.train.labels.tolist() == LABELS * 2
    np.testing.assert_array_equal(here.train.pixels, there.train.pixels)
    np.testing.assert_array_equal(there.test.pixels, np.stack([picture(row).transpose(2, 0, 1) for row in range(5)]))


@pytest.mark.parametrize("block", [2, 7, 64, 1000])  # s3rver takes the range 0-0 for the whole file
def test_any_part_of_a_file_can_be_read(server: str, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(remote, "BLOCK", block)
    rng = np.random.default_rng(0)
    data = rng.bytes(60)
    with put("bytes", data).open() as file:
        plain = BytesIO(data)
        for _ in range(30):
            start, count = int(rng.integers(70)), int(rng.integers(30))
            assert file.seek(start) == plain.seek(start)
            assert file.read(count) == plain.read(count)
        assert file.seek(-3, os.SEEK_END) == 57
        assert file.read() == data[-3:]


def test_a_block_is_fetched_once_and_few_are_kept(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "BLOCK", 10)
    monkeypatch.setattr(remote, "BUFFER", 1)
    fetched, kept = [], []
    plain = remote._Blocks._fetched

    def noted(self: remote._Blocks, number: int) -> bytes:
        fetched.append(number)
        kept.append(len(self.blocks))
        return plain(self, number)

    monkeypatch.setattr(remote._Blocks, "_fetched", noted)
    with put("many", bytes(range(200))).open() as file:
        assert file.read() == bytes(range(200))
    assert sorted(fetched) == list(range(20))
    assert max(kept) <= remote.AHEAD + 2


def test_a_file_that_changes_while_it_is_read(server: str) -> None:
    file = put("changing", b"before")
    with pytest.raises(UserError, match="changing: has changed while it was read"), file.open():
        put("changing", b"behind")


def test_what_the_store_lacks_is_named(server: str) -> None:
    put("empty/else.txt", b"")
    assert f"s3://{BUCKET}/nothing: no such folder" in message("webdataset", f"s3://{BUCKET}/nothing")
    assert "s3://no-such-bucket/a: no such folder" in message("parquet", "s3://no-such-bucket/a")
    assert f"s3://{BUCKET}/empty/train.tar: no such file" in message("webdataset", f"s3://{BUCKET}/empty")
    put("damaged/train.tar", b"no tar" * 200)
    put("damaged/test.tar", b"no tar" * 200)
    assert f"s3://{BUCKET}/damaged/train.tar: not a readable tar file" in message(
        "webdataset", f"s3://{BUCKET}/damaged"
    )
    put("damaged/train.parquet", b"no table")
    put("damaged/test.parquet", b"no table")
    assert f"s3://{BUCKET}/damaged/train.parquet: not a readable parquet" in message(
        "parquet", f"s3://{BUCKET}/damaged"
    )


def test_a_project_begins_with_them(server: str, tmp_path: Path) -> None:
    put("of-parquet/train-0.parquet", b"")
    put("of-neither/train/cat/1.png", b"")
    found = of_images(f"s3://{BUCKET}/of-parquet/", tmp_path)
    assert found == {"source": "parquet", "path": f"s3://{BUCKET}/of-parquet"}
    Download.model_validate(found)
    with pytest.raises(UserError, match=f"--images s3://{BUCKET}/of-neither: on object storage there must be"):
        of_images(f"s3://{BUCKET}/of-neither", tmp_path)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"source": "image_folder", "path": "s3://team/a"}, "image_folder reads a folder of this machine"),
        ({"source": "parquet", "path": "s3://team/a/"}, "without a slash at the end"),
        ({"source": "parquet", "path": "s3://"}, "must be s3://bucket/folder"),
        ({"source": "parquet", "path": "gs://team/a"}, "must be a folder, or s3://bucket/folder"),
    ],
)
def test_addresses_that_cannot_be_read(params: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Download.model_validate(params)


def test_a_store_that_stops_answering(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection ends after the first block."""
    monkeypatch.setattr(remote, "BLOCK", 1000)
    store = remote._store()
    plain = store.cat_file

    def cut(url: str, start: int, end: int) -> bytes:
        found: bytes = plain(url, start=start, end=end)
        return found[:-1] if start else found

    file = put("cut", bytes(5000))
    monkeypatch.setattr(store, "cat_file", cut)
    with pytest.raises(UserError, match="cut: the store sent 999 bytes of 1000"), file.open() as opened:
        opened.read()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"AWS_ACCESS_KEY_ID": "STRANGER"}, "the store refuses the key"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "nothing answers at that address"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": "/nowhere"}, "no credentials"),
    ],
)
def test_a_store_that_cannot_be_used(
    server: str, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], said: str
) -> None:
    import fsspec

    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(remote, "_store", lambda: fsspec.filesystem("s3", skip_instance_cache=True))
    found = message("webdataset", f"s3://{BUCKET}/anything")
    assert f"s3://{BUCKET}/anything: {said}" in found
