"""Files come back as they were written, whole or not at all, and with the same bytes for the same values."""

import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import winnow.storage
from winnow.storage import (
    KINDS,
    atomic_file,
    atomic_folder,
    gathered,
    load_column,
    load_json,
    load_provenance,
    load_table,
    load_tensor_provenance,
    load_tensors,
    map_tensor,
    save_json,
    save_rows,
    save_table,
    save_tensors,
    stack_on_disk,
)

ROOT = Path(__file__).parents[1]

arrays = hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_]),
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4),
)


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["train/ä/1.png", "b", "c,d"],
            "position": np.array([2, 0, 1]),
            "el2n": np.array([0.1, np.inf, np.nan], np.float32),
            "fraction": [1 / 3, 1e-300, -0.0],
        }
    )


# Round trips


@given(tensors=st.dictionaries(st.text("abc._", min_size=1), arrays, min_size=1, max_size=3))
def test_tensors_come_back(tmp_path_factory, tensors):
    path = tmp_path_factory.mktemp("tensors") / "t.safetensors"
    save_tensors(path, tensors)
    loaded = load_tensors(path)
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype
        np.testing.assert_array_equal(loaded[name], tensor)


def test_arrays_of_any_memory_layout_come_back(tmp_path):
    whole = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    views = {"transposed": whole.T, "strided": whole[:, ::2, ::-1], "fortran": np.asfortranarray(whole)}
    save_tensors(tmp_path / "t.safetensors", views)
    for name, array in load_tensors(tmp_path / "t.safetensors").items():
        np.testing.assert_array_equal(array, views[name])


def test_torch_tensors_come_back_as_arrays(tmp_path):
    import torch

    pixels = torch.arange(24.0).reshape(1, 2, 3, 4).contiguous(memory_format=torch.channels_last)
    save_tensors(tmp_path / "t.safetensors", {"pixels": pixels, "weight": torch.ones(2, requires_grad=True)})
    loaded = load_tensors(tmp_path / "t.safetensors")
    np.testing.assert_array_equal(loaded["pixels"], np.arange(24.0).reshape(1, 2, 3, 4))
    np.testing.assert_array_equal(loaded["weight"], [1, 1])


def test_only_named_tensors_are_read(tmp_path):
    save_tensors(tmp_path / "t.safetensors", {"a": np.zeros(1), "b": np.ones(2)})
    assert load_tensors(tmp_path / "t.safetensors", "b").keys() == {"b"}


every_kind = hnp.arrays(
    st.sampled_from([*KINDS.values(), np.dtype(">i4")]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


@given(
    st.dictionaries(st.text('abcä."\n', min_size=1), every_kind, max_size=6),
    st.none() | st.dictionaries(st.text(), st.integers(), min_size=1),
)
def test_tensors_are_written_as_the_library_writes_them(tmp_path_factory, tensors, provenance):
    from safetensors.numpy import save

    path = tmp_path_factory.mktemp("tensors") / "t.safetensors"
    save_tensors(path, tensors, provenance)
    metadata = {"winnow": json.dumps(provenance, sort_keys=True)} if provenance else None
    assert path.read_bytes() == save({name: np.asarray(array, order="C") for name, array in tensors.items()}, metadata)


def test_a_kind_that_the_format_lacks_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"words: .*<U3"):
        save_tensors(tmp_path / "t.safetensors", {"words": np.array(["abc"])})
    assert list(tmp_path.iterdir()) == []


pixels = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5))


@given(pixels, st.text("pä x", min_size=1, max_size=20), st.integers(1, 3))
def test_rows_are_written_as_the_library_writes_a_tensor_and_can_be_mapped(tmp_path_factory, array, name, count):
    folder = tmp_path_factory.mktemp("rows")
    save_tensors(folder / "whole", {name: array})
    chunks = (array[start : start + count] for start in range(0, len(array), count))
    save_rows(folder / "rows", name, array.shape, chunks)
    assert (folder / "rows").read_bytes() == (folder / "whole").read_bytes()
    mapped = map_tensor(folder / "rows", name)
    assert mapped.dtype == np.uint8
    np.testing.assert_array_equal(mapped, array)


def test_one_of_several_tensors_can_be_mapped(tmp_path):
    tensors = {"a": np.arange(5, dtype=np.uint8), "b": np.ones(3), "c": np.arange(6, dtype=np.uint8).reshape(2, 3)}
    save_tensors(tmp_path / "t", tensors)
    for name in ("a", "c"):
        np.testing.assert_array_equal(map_tensor(tmp_path / "t", name), tensors[name])


def test_a_map_of_a_file_that_was_cut_off(tmp_path, user_error):
    save_tensors(tmp_path / "t", {"a": np.zeros(300, np.uint8)})
    whole = (tmp_path / "t").read_bytes()
    for length in (len(whole) - 1, len(whole) - 300, 20, 8, 3):
        (tmp_path / "t").write_bytes(whole[:length])
        with user_error(tmp_path / "t", "not a readable safetensors file"):
            map_tensor(tmp_path / "t", "a")


@pytest.mark.parametrize("code", KINDS)
def test_a_tensor_of_any_kind_can_be_mapped(tmp_path, code):
    tensors = {"a": np.arange(6).reshape(2, 3).astype(KINDS[code]), "b": np.arange(3, dtype=np.uint8)}
    save_tensors(tmp_path / "t", tensors)
    mapped = map_tensor(tmp_path / "t", "a", code)
    assert mapped.dtype == KINDS[code]
    np.testing.assert_array_equal(mapped, tensors["a"])


def test_a_map_is_not_written_to(tmp_path):
    save_tensors(tmp_path / "t", {"a": np.zeros(3, np.uint8)})
    with pytest.raises(ValueError, match="read-only"):
        map_tensor(tmp_path / "t", "a")[0] = 1


@pytest.mark.parametrize("chunks", [[], [np.zeros((4, 2), np.uint8)], [np.zeros((3, 1), np.uint8)], [np.zeros((3, 2))]])
def test_rows_that_are_not_those_announced_leave_no_file(tmp_path, chunks):
    with pytest.raises(ValueError, match="rows"):
        save_rows(tmp_path / "t", "pixels", (3, 2), chunks)
    assert list(tmp_path.iterdir()) == []


@given(pixels.filter(len))
def test_stacked_arrays(tmp_path_factory, array):
    folder = tmp_path_factory.mktemp("stack")
    found = stack_on_disk(iter(array), folder)
    np.testing.assert_array_equal(found, array)
    assert not found.size or not found.flags.writeable
    assert list(folder.iterdir()) == []


@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(0, 3))), st.integers(1, 4), st.booleans())
def test_gathered_parts(tmp_path_factory, array, count, in_memory):
    folder = tmp_path_factory.mktemp("gathered")
    other = np.arange(len(array), dtype=np.float16)
    parts = ((array[start : start + count], other[start : start + count]) for start in range(0, len(array), count))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(winnow.storage, "IN_MEMORY", 10**9 if in_memory else 10)
        found = gathered(parts, folder)
    for got, whole in zip(found, (array, other), strict=True):
        assert got.dtype == whole.dtype
        np.testing.assert_array_equal(got, whole)
    assert list(folder.iterdir()) == []


def test_what_is_gathered_can_be_written_without_a_copy_in_memory(tmp_path):
    """Under a limit on anonymous memory that the tensor does not fit into."""
    script = """
import resource, sys
import numpy as np
from winnow import storage
from winnow.storage import gathered, map_tensor, save_tensors
storage.IN_MEMORY = 2**22
used = int(next(line for line in open("/proc/self/status") if line.startswith("VmData")).split()[1]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (used + 2**25, used + 2**25))
(found,) = gathered((np.full((2**9, 2**9), row, np.float32),) for row in range(64))
save_tensors("t.safetensors", {"t": found})
mapped = map_tensor("t.safetensors", "t", "F32")
assert mapped.shape == (2**15, 2**9) and (mapped[:: 2**9, 5] == np.arange(64)).all()
try:
    np.fromfile("t.safetensors", np.uint8)
except MemoryError:
    sys.exit(0)
sys.exit("the tensor fits into the memory that is allowed")
"""
    if sys.platform != "linux":
        pytest.skip("limits RLIMIT_DATA, which only Linux has")
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_tables_come_back(tmp_path, ending):
    path = tmp_path / f"t{ending}"
    save_table(path, table())
    # csv keeps the shortest digits that mean a float32, so it is read back to the same float32
    pd.testing.assert_frame_equal(load_table(path).astype({"el2n": np.float32}), table(), check_dtype=False, rtol=0)
    assert load_table(path, ["position"]).to_dict("list") == {"position": [2, 0, 1]}


@given(hnp.arrays(st.sampled_from([np.int64, np.float32, np.uint8]), st.integers(0, 9)))
def test_a_column_comes_back(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("column") / "t.parquet"
    save_table(path, pd.DataFrame({"other": np.zeros(len(values)), "values": values}))
    column = load_column(path, "values")
    assert column.dtype == values.dtype
    np.testing.assert_array_equal(column, values)


def test_a_column_is_read_without_pandas(tmp_path):
    # older versions of pyarrow import pandas themselves
    unwanted = ["torch", "pandas"] if int(pa.__version__.split(".")[0]) >= 26 else ["torch"]
    save_table(tmp_path / "t.parquet", table())
    code = (
        "import sys; from winnow.storage import load_column;"
        f"assert load_column({str(tmp_path / 't.parquet')!r}, 'position').tolist() == [2, 0, 1];"
        f"sys.exit(any(name in sys.modules for name in {unwanted}))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_provenance_comes_back(tmp_path):
    provenance = {"method": "el2n-epoch4", "keep": 0.1, "of_images": 3}
    save_table(tmp_path / "with.parquet", table(), provenance)
    save_table(tmp_path / "without.parquet", table())
    assert load_provenance(tmp_path / "with.parquet") == provenance
    assert load_provenance(tmp_path / "without.parquet") == {}
    save_tensors(tmp_path / "with", {"a": np.ones(2)}, provenance)
    save_tensors(tmp_path / "without", {"a": np.ones(2)})
    assert load_tensor_provenance(tmp_path / "with") == provenance
    assert load_tensor_provenance(tmp_path / "without") == {}
    assert load_tensors(tmp_path / "with").keys() == {"a"}


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
def test_json_comes_back(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("json") / "v.json"
    save_json(path, value)
    assert load_json(path) == value


def test_json_without_an_equal_in_the_standard_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        save_json(tmp_path / "v.json", float("nan"))
    assert list(tmp_path.iterdir()) == []


# Whole or not at all


def test_a_failed_file_leaves_the_old_one(tmp_path):
    path = tmp_path / "new folder" / "file.txt"
    with atomic_file(path) as temporary:
        temporary.write_text("old")
        assert not path.exists()
    with pytest.raises(RuntimeError, match="stop"), atomic_file(path) as temporary:
        temporary.write_text("half of the n")
        raise RuntimeError("stop")
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_folder_leaves_the_old_one(tmp_path):
    path = tmp_path / "folder"
    with atomic_folder(path) as temporary:
        (temporary / "a").write_text("old")
    with pytest.raises(RuntimeError, match="stop"), atomic_folder(path) as temporary:
        (temporary / "a").write_text("new")
        raise RuntimeError("stop")
    assert (path / "a").read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_folder_takes_the_place_of_the_old_one(tmp_path):
    path = tmp_path / "folder"
    for name in ("a", "b"):
        with atomic_folder(path) as temporary:
            (temporary / name).write_text("")
    assert [file.name for file in path.iterdir()] == ["b"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("write", [atomic_file, atomic_folder])
def test_what_a_killed_process_left_is_cleared_by_the_next(tmp_path, write):
    def killed() -> None:
        with write(tmp_path / "out.txt") as temporary:
            (temporary / "half" if temporary.is_dir() else temporary).write_text("half a file")
            os.kill(os.getpid(), signal.SIGKILL)

    process = multiprocessing.get_context("fork").Process(target=killed)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not (tmp_path / "out.txt").exists()
    with write(tmp_path / "out.txt") as temporary:
        if temporary.is_file():
            assert temporary.read_text() == ""
    assert [path.name for path in tmp_path.rglob("*")] == ["out.txt"]


def test_others_may_read_what_is_written(tmp_path):
    umask = os.umask(0o077)
    try:
        save_json(tmp_path / "file", 1)
        with atomic_folder(tmp_path / "folder"):
            pass
    finally:
        os.umask(umask)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_a_table_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch, name):
    save_table(tmp_path / name, table())
    before = (tmp_path / name).read_bytes()

    def full_disk(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_table(tmp_path / name, table().head(1))
    assert (tmp_path / name).read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


# The same values, the same bytes

WRITERS = {
    "t.parquet": lambda path: save_table(path, table(), {"b": 1, "a": 2}),
    "t.csv": lambda path: save_table(path, table()),
    "t.safetensors": lambda path: save_tensors(path, {"b": np.arange(5), "a": np.ones((2, 3), np.float32)}),
    "t.json": lambda path: save_json(path, {"b": 1.5, "a": [None, "ä"]}),
}


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_values_give_the_same_bytes(tmp_path, name):
    paths = [tmp_path / "one" / name, tmp_path / "other" / name]
    for path in paths:
        WRITERS[name](path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("name", ["t.parquet", "t.safetensors"])
def test_the_bytes_do_not_depend_on_the_process(tmp_path, name):
    WRITERS[name](tmp_path / name)
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'tests')!r}); from pathlib import Path; import test_storage;"
    code += f"test_storage.WRITERS[{name!r}](Path({str(tmp_path)!r}) / 'other' / {name!r})"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONHASHSEED": "7"})
    assert (tmp_path / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_the_order_of_names_does_not_change_the_bytes(tmp_path):
    one, other = {"a": np.ones(2), "b": np.zeros(3)}, {"b": np.zeros(3), "a": np.ones(2)}
    save_tensors(tmp_path / "one", one)
    save_tensors(tmp_path / "other", other)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    save_tensors(tmp_path / "one", one, {"a": 1, "b": 2})
    save_tensors(tmp_path / "other", other, {"b": 2, "a": 1})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    save_table(tmp_path / "one.parquet", table(), {"a": 1, "b": 2})
    save_table(tmp_path / "other.parquet", table(), {"b": 2, "a": 1})
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "other.parquet").read_bytes()


def test_no_version_of_a_library_gets_into_a_table(tmp_path):
    save_table(tmp_path / "t.parquet", table())
    assert pd.__version__.encode() not in (tmp_path / "t.parquet").read_bytes()


# Damaged and missing files

READERS = {
    "t.safetensors": load_tensors,
    "t.parquet": load_table,
    "t.csv": load_table,
    "t.json": load_json,
}


@pytest.mark.parametrize(
    ("name", "read"),
    [
        *READERS.items(),
        ("t.safetensors", lambda path: map_tensor(path, "c")),
        ("t.parquet", load_provenance),
        ("t.parquet", lambda path: load_column(path, "position")),
    ],
)
def test_a_missing_file_is_named(tmp_path, user_error, name, read):
    with user_error(tmp_path / name, "no such file"):
        read(tmp_path / name)


@pytest.mark.parametrize("damage", ["empty", "cut", "noise"])
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("t.safetensors", load_tensors),
        ("t.safetensors", load_tensor_provenance),
        ("t.safetensors", lambda path: map_tensor(path, "a")),
        ("t.parquet", load_table),
        ("t.parquet", load_provenance),
        ("t.parquet", lambda path: load_column(path, "position")),
        ("t.json", load_json),
    ],
)
def test_a_damaged_file_is_named(tmp_path, user_error, name, read, damage):
    path = tmp_path / name
    WRITERS[name](path)
    whole = path.read_bytes()
    noise = np.random.default_rng(0).integers(256, size=300, dtype=np.uint8).tobytes()
    path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "noise": noise}[damage])
    with user_error(path):
        read(path)


def test_a_csv_that_is_none_is_named(tmp_path, user_error):
    for content in (b"", b"a,b\n1,2,3\n4\n5,6,7,8\n", b"\xff\xfe\x00"):
        (tmp_path / "t.csv").write_bytes(content)
        with user_error(tmp_path / "t.csv", "not a readable table"):
            load_table(tmp_path / "t.csv")


def test_what_a_file_does_not_hold_is_named(tmp_path, user_error):
    for name, write in WRITERS.items():
        write(tmp_path / name)
    with user_error("t.safetensors", "'c'", "a, b"):
        load_tensors(tmp_path / "t.safetensors", "a", "c")
    with user_error("t.safetensors", "'c'", "a, b"):
        map_tensor(tmp_path / "t.safetensors", "c")
    with user_error("t.safetensors", "a is not a tensor of uint8"):
        map_tensor(tmp_path / "t.safetensors", "a")
    for name in ("t.csv", "t.parquet"):
        with user_error(name, "label"):
            load_table(tmp_path / name, ["label"])
    with user_error("t.parquet", "label"):
        load_column(tmp_path / "t.parquet", "label")


# Data, never code


def test_no_pickle_anywhere():
    forbidden = re.compile(
        r"^\s*(import|from) (c?pickle|dill|joblib|shelve|marshal)\b|pickle\.|torch\.(load|save)\b|"
        r"joblib\.|allow_pickle\s*=\s*True|read_pickle|to_pickle",
        re.MULTILINE,
    )
    assert forbidden.search("x = torch.load(path)")  # the search itself can find
    files = [*(ROOT / "src").rglob("*.py")]
    assert len(files) > 50
    found = {file.name: match[0] for file in files if (match := forbidden.search(file.read_text(encoding="utf-8")))}
    assert not found


def test_a_table_of_objects_is_refused_rather_than_pickled(tmp_path):
    with pytest.raises(Exception, match=r"[Cc]onver"):
        save_table(tmp_path / "t.parquet", pd.DataFrame({"a": [object()]}))
    assert list(tmp_path.iterdir()) == []


def test_json_is_written_for_people(tmp_path):
    save_json(tmp_path / "v.json", {"b": 1, "a": 2})
    text = (tmp_path / "v.json").read_text()
    assert text.endswith("}\n")
    assert list(json.loads(text)) == ["b", "a"]
