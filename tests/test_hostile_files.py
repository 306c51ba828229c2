"""Files that were made to do harm end in one line that names them: no code runs, and memory stays bounded."""

import json
import math
import os
import pickle
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from winnow.errors import UserError
from winnow.storage import load_column, load_json, load_provenance, load_table, load_tensor_provenance, load_tensors
from winnow.storage import map_tensor as map_one

ROOT = Path(__file__).parents[1]
GIB = 2**30
NESTED = b"[" * 1_000_000


def map_tensor(path: Path) -> np.ndarray:
    return map_one(path, "a")


def safetensors(header: Any, body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def tensor(shape: Any, offsets: Any, dtype: str = "U8") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


TENSORS = {
    "a header longer than all disks": struct.pack("<Q", 2**63) + b"{}",
    "a header longer than the file": struct.pack("<Q", 9_000_000) + b"{}",
    "a header as long as the library takes": struct.pack("<Q", 99_000_000) + b" " * 99_000_000,
    "a header without end": safetensors(NESTED),
    "a header that is a list": safetensors([1, 2]),
    "an end behind the file's": safetensors({"a": tensor([16], [0, 16])}, b"0" * 8),
    "a start before the file's": safetensors({"a": tensor([16], [-16, 0])}, b"0" * 16),
    "an end before the start": safetensors({"a": tensor([4], [8, 4])}, b"0" * 8),
    "a size that is not the shape's": safetensors({"a": tensor([4], [0, 8])}, b"0" * 8),
    "a shape whose product overflows to zero": safetensors({"a": tensor([2**32, 2**32], [0, 0])}),
    "a shape whose product overflows to the size": safetensors({"a": tensor([2**32 + 1, 2**32], [0, 2**32])}),
    "a negative shape": safetensors({"a": tensor([-2, -2], [0, 4])}, b"0" * 4),
    "a shape of text": safetensors({"a": tensor("4", [0, 4])}, b"0" * 4),
    "a shape of a hundred sides": safetensors({"a": tensor([1] * 100, [0, 1])}, b"0"),
    "a type that numpy lacks": safetensors({"a": tensor([4], [0, 4], "F8_E4M3")}, b"0" * 4),
    "a type that nobody knows": safetensors({"a": tensor([4], [0, 4], "__import__('os')")}, b"0" * 4),
    "offsets of text": safetensors({"a": tensor([4], ["0", "4"])}, b"0" * 4),
}
OVERLAPPING = safetensors({"a": tensor([4], [0, 4]), "b": tensor([4], [2, 6])}, b"0" * 6)


@pytest.mark.parametrize("content", TENSORS.values(), ids=TENSORS)
@pytest.mark.parametrize("read", [load_tensors, map_tensor])
def test_a_header_of_tensors_that_lies(tmp_path, user_error, content, read):
    (tmp_path / "t").write_bytes(content)
    with user_error(tmp_path / "t", "not a readable safetensors file"):
        read(tmp_path / "t")


def test_tensors_that_overlap(tmp_path, user_error):
    (tmp_path / "t").write_bytes(OVERLAPPING)
    with user_error(tmp_path / "t", "not a readable safetensors file"):
        load_tensors(tmp_path / "t")


@pytest.mark.parametrize("provenance", ["[" * 100_000, "{", "[1]", "1e999999999999", "9" * 100_000])
def test_provenance_that_is_none(tmp_path, user_error, provenance):
    about = {"__metadata__": {"winnow": provenance}, "a": tensor([1], [0, 1])}
    (tmp_path / "t.safetensors").write_bytes(safetensors(about, b"0"))
    with user_error(tmp_path / "t.safetensors"):
        load_tensor_provenance(tmp_path / "t.safetensors")
    table = pa.table({"a": [1]}).replace_schema_metadata({"winnow": provenance})
    pq.write_table(table, tmp_path / "t.parquet")
    with user_error(tmp_path / "t.parquet"):
        load_provenance(tmp_path / "t.parquet")


@pytest.mark.parametrize("content", [NESTED, b"9" * 100_000, b"\x00", b'{"a": 1', b"\xff\xfe"])
def test_json_that_is_none(tmp_path, user_error, content):
    (tmp_path / "t.json").write_bytes(content)
    with user_error(tmp_path / "t.json", "not a readable json file"):
        load_json(tmp_path / "t.json")


# Tables


def claiming(rows: int) -> bytes:
    """A parquet file of three rows whose footer says that it has so many. The footer is Thrift's compact protocol:
    0x16 is a field, one after the last one, of a 64-bit number; the number of rows is the only one after a list."""
    file = BytesIO()
    pq.write_table(pa.table({"a": [1, 2, 3]}), file, compression="zstd", store_schema=False)
    content = file.getvalue()
    length = int.from_bytes(content[-8:-4], "little")
    footer = content[-8 - length : -8]
    number, varint = 2 * rows, b""
    while number > 127:
        varint, number = varint + bytes([128 | number & 127]), number >> 7
    at = footer.rindex(b"\x16\x06")  # of the row group; the first is of the file
    for place in sorted({at, footer.index(b"\x16\x06", footer.index(b"a\x00"))}, reverse=True):
        footer = footer[: place + 1] + varint + bytes([number]) + footer[place + 2 :]
    return content[: -8 - length] + footer + len(footer).to_bytes(4, "little") + b"PAR1"


READ_TABLES: list[Callable[[Path], Any]] = [load_table, lambda path: load_column(path, "a")]


@pytest.mark.parametrize("read", READ_TABLES)
def test_a_table_of_a_trillion_rows(tmp_path, user_error, read):
    (tmp_path / "t.parquet").write_bytes(claiming(10**12))
    assert pq.read_metadata(tmp_path / "t.parquet").num_rows == 10**12
    with user_error(tmp_path / "t.parquet", f"claims {10**12} rows"):
        read(tmp_path / "t.parquet")


@pytest.mark.parametrize("read", READ_TABLES)
def test_a_table_that_decompresses_to_more_than_the_memory(tmp_path, user_error, read, monkeypatch):
    pq.write_table(
        pa.table({"a": ["x" * 10_000_000] * 20}), tmp_path / "t.parquet", compression="zstd", use_dictionary=False
    )
    assert (tmp_path / "t.parquet").stat().st_size < 100_000
    monkeypatch.setattr("winnow.storage._memory", lambda: 100_000_000)
    with user_error(tmp_path / "t.parquet", "of memory"):
        read(tmp_path / "t.parquet")


def test_a_type_that_would_unpickle_itself_does_not(tmp_path):
    """CVE-2023-47248: pyarrow before 14.0.1 unpickled the type of a column."""
    field = pa.field(
        "a",
        pa.int64(),
        metadata={
            "ARROW:extension:name": "arrow.py_extension_type",
            "ARROW:extension:metadata": touching(tmp_path / "executed"),
        },
    )
    pq.write_table(pa.table([pa.array([1])], schema=pa.schema([field])), tmp_path / "t.parquet")
    for read in READ_TABLES:
        read(tmp_path / "t.parquet")
    assert not (tmp_path / "executed").exists()


# Another format


class Touches:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def touching(path: Path) -> bytes:
    """A pickle that makes a folder when it is read."""
    return pickle.dumps(Touches(path), 0)


def zip_bomb() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.pkl", b"0" * 50_000_000)
    return file.getvalue()


READERS: dict[str, Callable[[Path], Any]] = {
    "t.safetensors": load_tensors,
    "map": map_tensor,
    "t.parquet": load_table,
    "t.json": load_json,
    "t.csv": load_table,
}


@pytest.mark.parametrize("name", [name for name in READERS if name != "t.csv"])  # any text may be csv
def test_a_pickle_or_an_archive_in_place_of_a_file(tmp_path, user_error, name):
    for content in (touching(tmp_path / "executed"), zip_bomb(), zlib.compress(b"0" * 10_000_000)):
        (tmp_path / name).write_bytes(content)
        with user_error(tmp_path / name, "not a readable"):
            READERS[name](tmp_path / name)
    assert not (tmp_path / "executed").exists()
    pickle.loads(touching(tmp_path / "executed"))  # noqa: S301 (the pickle itself works)
    assert (tmp_path / "executed").exists()


@given(content=st.binary(max_size=300), start=st.sampled_from([b"", b"PAR1", b"\x10" + b"\0" * 7 + b"{", b"{", b"["]))
def test_any_bytes_give_a_value_or_one_line(tmp_path_factory, content, start):
    folder = tmp_path_factory.mktemp("any")
    for name, read in READERS.items():
        (folder / name).write_bytes(start + content + start)
        try:
            read(folder / name)
        except UserError as error:
            assert "\n" not in str(error)


@given(data=st.data())
def test_a_damaged_table_or_tensor_gives_a_value_or_one_line(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("flipped")
    whole = {"t.parquet": claiming(3), "t.safetensors": safetensors({"a": tensor([4], [0, 4])}, b"0" * 4)}
    for name, content in whole.items():
        place, value = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(0, 255))
        (folder / name).write_bytes(content[:place] + bytes([value]) + content[place + 1 :])
        try:
            READERS[name](folder / name)
        except UserError as error:
            assert "\n" not in str(error)


def test_a_picture_of_ten_billion_pixels(tmp_path, user_error):
    from winnow.datasets.decode import decode_images

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    size = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    picture = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    assert math.prod(Image.MAX_IMAGE_PIXELS for _ in "x") < 10**10
    with user_error("huge.png", "cannot be decoded"):
        decode_images([("huge.png", picture)], 1, (8, 8), "read")


# Memory

WITHIN = """
import resource, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_hostile_files as made  # and all that the readers need
import winnow.storage
resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))
for path in sorted(Path({folder!r}).iterdir()):
    for read in (made.READERS[path.suffix[1:] and 't' + path.suffix], made.map_tensor):
        if read is made.map_tensor and path.suffix != ".safetensors":
            continue
        try:
            read(path)
        except winnow.storage.UserError as error:
            print("error:", error)
"""


def test_all_of_this_ends_in_one_line_within_two_gigabytes(tmp_path):
    """In a process that the system gives no more memory: none ends with a traceback."""
    for number, content in enumerate([*TENSORS.values(), touching(tmp_path / "executed"), zip_bomb()]):
        (tmp_path / f"{number:02d}.safetensors").write_bytes(content)
    (tmp_path / "rows.parquet").write_bytes(claiming(10**12))
    pq.write_table(
        pa.table({"a": ["x" * 60_000_000] * 60}), tmp_path / "wide.parquet", use_dictionary=True, compression="zstd"
    )
    (tmp_path / "deep.json").write_bytes(NESTED)
    (tmp_path / "zeros.json").write_bytes(b"9" * 1_000_000)
    code = WITHIN.format(tests=str(ROOT / "tests"), limit=2 * GIB, folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 2 * (len(TENSORS) + 2) + 4
    assert all(line.startswith("error: ") for line in lines)
    assert not (tmp_path / "executed").exists()
