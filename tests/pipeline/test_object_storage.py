"""Images in shards on object storage are an input: what changes there is seen, and an error is one line."""

import io
import re
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.pipeline.clone import Clone
from tests.pipeline.servers import BUCKET, Server
from winnow.storage import load_table

pytestmark = pytest.mark.pipeline

FOLLOWING = ["download", "labels"]


@pytest.fixture
def settings(s3: Server) -> dict[str, str]:
    """What a user sets to reach the store."""
    return {**s3.environment, "AWS_ENDPOINT_URL": s3.options["endpointurl"], "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture
def store(settings: dict[str, str]) -> Any:
    import fsspec

    at = {"endpoint_url": settings["AWS_ENDPOINT_URL"], "region_name": settings["AWS_DEFAULT_REGION"]}
    who = {"key": settings["AWS_ACCESS_KEY_ID"], "secret": settings["AWS_SECRET_ACCESS_KEY"]}
    return fsspec.filesystem("s3", **who, client_kwargs=at, skip_instance_cache=True)


def shard(first: int, count: int) -> bytes:
    """A tar file of so many images of two classes."""
    written, stream = io.BytesIO(), np.random.default_rng(first)
    with tarfile.open(fileobj=written, mode="w") as archive:
        for number in range(first, first + count):
            image = io.BytesIO()
            Image.fromarray(stream.integers(256, size=(8, 8), dtype=np.uint8)).save(image, "png")
            for ending, data in (("png", image.getvalue()), ("cls", str(number % 2).encode())):
                member = tarfile.TarInfo(f"{'dog' if number % 2 else 'cat'}/{number}.{ending}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return written.getvalue()


def use(clone: Clone, path: str) -> None:
    for key, value in {"source": "webdataset", "path": path, "first": None, "first_test": None}.items():
        clone.set(f"download.{key}", value)


def test_what_changes_there_is_seen(new: Clone, store: Any, settings: dict[str, str], tmp_path: Path) -> None:
    clone = new.copy(tmp_path / "clone")
    for name, part in {"train-0": (0, 20), "test": (0, 10)}.items():
        store.pipe(f"{BUCKET}/shards/{name}.tar", shard(*part))
    use(clone, f"s3://{BUCKET}/shards")
    assert clone.repro("labels", **settings) == FOLLOWING
    assert clone.repro("labels", **settings) == clone.make("labels", **settings) == []
    before = clone.files("data/images")
    store.pipe(f"{BUCKET}/shards/train-1.tar", shard(20, 10))
    said = clone.do("dvc", "status", "download", **settings)
    assert re.search(rf"^\t\tmodified: +s3://{BUCKET}/shards/$", said, re.MULTILINE)
    assert clone.make("labels", **settings) == FOLLOWING
    assert "train/cat/28.png" in load_table(clone.path("data/labels.parquet"))["id"].tolist()
    store.rm(f"{BUCKET}/shards/train-1.tar")
    # as it was: DVC's run cache takes no stage that reads from outside, so download runs; what follows is in the cache
    assert clone.make("labels", **settings) == ["download"]
    assert clone.files("data/images") == before


def test_errors_are_one_line(new: Clone, settings: dict[str, str], tmp_path: Path) -> None:
    clone = new.copy(tmp_path / "clone")
    use(clone, "s3://no-such-bucket/shards")
    for command in (("dvc", "repro", "download"), ("python", "-m", "winnow.repro", "download")):
        printed = clone.run(*command, **settings)
        assert printed.returncode != 0
        assert "Traceback" not in printed.stdout
        assert re.search(r"s3://no-such-bucket/shards.*(missing|does not exist)", printed.stdout)
    use(clone, f"s3://{BUCKET}/shards/")
    printed = clone.run("dvc", "repro", "download", **settings)
    assert (
        f"download.path: s3://{BUCKET}/shards/: must be s3://bucket/folder, without a slash at the end"
        in printed.stdout
    )
    assert "Traceback" not in printed.stdout
