"""Files: tensors (safetensors), tables (parquet, csv), json. Writes are atomic; the same values give the same bytes.

Nothing here reads or writes pickle: what comes out of a shared cache is data, never code. A reader takes any bytes for
what they may be, damaged or made to do harm: it ends in a UserError, and takes no more memory than the machine has.
"""

import json
import math
import os
import resource
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from winnow.errors import UserError

if TYPE_CHECKING:  # pandas costs half a second to import, and most stages need only tensors
    import pandas as pd

KINDS: dict[str, np.dtype[Any]] = {  # of safetensors, in the order in which a file has its tensors
    "U64": np.dtype("<u8"),
    "I64": np.dtype("<i8"),
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "U32": np.dtype("<u4"),
    "I32": np.dtype("<i4"),
    "F16": np.dtype("<f2"),
    "U16": np.dtype("<u2"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
IN_MEMORY = 2**26  # bytes of what is gathered part by part, before it moves to the disk


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``. It replaces ``path`` if the block succeeds, and is removed if it fails.

    A process that is killed inside the block leaves the temporary file, and the next writer of ``path`` overwrites it.
    So two processes must not write one path at once.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.unfinished{path.suffix}")  # the suffix tells some writers the format
    try:
        temporary.write_bytes(b"")
        yield temporary
        temporary.chmod(0o644)  # whatever the umask: a team's shared cache must be readable
        temporary.replace(path)
    except OSError as error:  # a full disk, say: some writers do not name the file
        raise OSError(error.errno, error.strerror or _first_line(error), str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``. It replaces ``path`` if the block succeeds, and is removed if it fails.

    As with ``atomic_file``, the next writer clears what a killed process has left.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.unfinished")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir()
        yield temporary
        temporary.chmod(0o755)
        if path.exists():
            shutil.rmtree(path)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def save_tensors(path: str | Path, tensors: Mapping[str, Any], provenance: Mapping[str, Any] | None = None) -> None:
    """Write named tensors (numpy arrays, or torch tensors on any device) as one safetensors file.

    The bytes are those that the library writes, but nothing is copied on the way, so a tensor may be a memory map that
    is larger than memory. provenance: json values for the file's header.
    """
    arrays = {name: _as_array(tensor) for name, tensor in tensors.items()}
    codes = {name: _code(name, array) for name, array in arrays.items()}
    names = sorted(arrays, key=lambda name: (list(KINDS).index(codes[name]), name.encode()))
    metadata = {"__metadata__": {"winnow": json.dumps(dict(provenance), sort_keys=True)}} if provenance else {}
    # not the library's save_file, which leaves a file with a random name if the process is killed
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        file.write(_header(metadata, {name: (codes[name], arrays[name].shape) for name in names}))
        for name in names:
            file.write(arrays[name].reshape(-1).view(np.uint8).data)


def _code(name: str, array: np.ndarray) -> str:
    for code, kind in KINDS.items():
        if array.dtype == kind:
            return code
    raise ValueError(f"{name}: safetensors files hold no {array.dtype}")


def _header(metadata: Mapping[str, Any], tensors: Mapping[str, tuple[str, tuple[int, ...]]]) -> bytes:
    """The beginning of a safetensors file, for tensors by name in their order: code of the kind, and shape."""
    entries: dict[str, Any] = dict(metadata)
    end = 0
    for name, (code, shape) in tensors.items():
        start, end = end, end + KINDS[code].itemsize * math.prod(shape)
        entries[name] = {"dtype": code, "shape": shape, "data_offsets": [start, end]}
    header = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header


def _as_array(tensor: Any) -> np.ndarray:
    if hasattr(tensor, "detach"):  # a torch tensor, recognised without importing torch
        tensor = tensor.detach().cpu().numpy()
    array = np.asarray(tensor, order="C")  # not ascontiguousarray, which turns a scalar into a vector
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def load_tensors(path: str | Path, *names: str) -> dict[str, np.ndarray]:
    """Read the named tensors of a safetensors file, and no others, from the disk; all tensors if none is named.

    Raises UserError if the file is missing or damaged, or has no tensor of a given name.
    """
    with _tensors(path) as file:
        present = set(file.keys())
        missing = [name for name in names if name not in present]
        if missing:
            raise UserError(f"{path}: no tensor named {missing[0]!r}; it has {', '.join(sorted(present)[:8])}")
        return {name: _array(file, name) for name in (names or sorted(present))}


def _array(file: Any, name: str) -> np.ndarray:
    try:
        return file.get_tensor(name)
    except (TypeError, AttributeError):  # numpy has no bfloat16
        raise ValueError(f"{name} is of {file.get_slice(name).get_dtype()}; save it as float32") from None


def load_tensor_provenance(path: str | Path) -> dict[str, Any]:
    """Read the provenance that ``save_tensors`` wrote into a safetensors file, or an empty dict.

    Raises UserError if the file is missing or damaged.
    """
    with _tensors(path) as file:
        return _provenance((file.metadata() or {}).get("winnow", "{}"))


def _provenance(text: str | bytes) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("its provenance is no map")
    return found


@contextmanager
def _tensors(path: str | Path) -> Iterator[Any]:
    from safetensors import safe_open

    with readable(path, "safetensors file"):
        with Path(path).open("rb") as start:
            _header_length(start)
        with safe_open(path, framework="np") as file:
            yield file


def _header_length(file: IO[bytes]) -> int:
    length = int.from_bytes(file.read(8), "little")
    # the library takes ten times as much, and much more memory to parse it
    if length > min(LONGEST_HEADER, os.fstat(file.fileno()).st_size - 8):
        raise ValueError(f"its header claims {length} bytes")
    return length


def map_tensor(path: str | Path, name: str, code: str = "U8") -> np.ndarray:
    """A tensor of a safetensors file as a read-only memory map: it takes no memory but the system's file cache.

    code: of its kind, as in KINDS.

    Raises UserError if the file is missing or damaged, or lacks the tensor.
    """
    with readable(path, "safetensors file"), Path(path).open("rb") as file:
        length = _header_length(file)
        header = json.loads(file.read(length))
        if name not in header:
            present = sorted(header.keys() - {"__metadata__"})
            raise UserError(f"{path}: no tensor named {name!r}; it has {', '.join(present[:8])}")
        shape, (start, end) = tuple(header[name]["shape"]), header[name]["data_offsets"]
        if header[name]["dtype"] != code or any(type(size) is not int or size < 0 for size in shape):
            raise ValueError(f"{name} is not a tensor of {KINDS[code]}")
        if not 0 <= start <= end or end - start != KINDS[code].itemsize * math.prod(shape):
            raise ValueError(f"{name} is not as large as its shape")
        whole = max(entry["data_offsets"][1] for other, entry in header.items() if other != "__metadata__")
        if 8 + length + whole != os.fstat(file.fileno()).st_size:  # cut off, perhaps in another tensor
            raise ValueError("it is not as long as its tensors")
        return _mapped(file, 8 + length + start, shape, KINDS[code])


def tensors_in(path: str | Path) -> set[str]:
    """The names of the tensors of a safetensors file. Raises UserError if it is missing or damaged."""
    with readable(path, "safetensors file"), Path(path).open("rb") as file:
        return set(json.loads(file.read(_header_length(file)))) - {"__metadata__"}


LONGEST_HEADER = 10_000_000  # bytes: a hundred thousand tensors


@contextmanager
def readable(path: str | Path, what: str) -> Iterator[None]:
    """Turn whatever a library raises over a damaged file into a UserError that names the file, and says it is no such
    thing. Only calls that read the file belong into the block."""
    try:
        yield
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except Exception as error:  # the formats' libraries raise many classes; MemoryError and RecursionError among them
        hint = "; winnow doctor --cache finds what is damaged" if Path(path).parts[:1] == ("data",) else ""
        raise UserError(f"{path}: not a readable {what} ({_first_line(error)}){hint}") from None


def save_rows(
    path: str | Path,
    name: str,
    shape: tuple[int, ...],
    chunks: Iterable[np.ndarray],
    beside: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Write one uint8 tensor as a safetensors file, from chunks of its rows: the bytes that ``save_tensors`` writes.

    Only one chunk is in memory at a time. beside: small tensors int64, which the file has too. Raises ValueError if the
    chunks do not add up to the shape.
    """
    others = {other: np.asarray(array, "<i8", order="C") for other, array in sorted((beside or {}).items())}
    header = _header({}, {other: ("I64", array.shape) for other, array in others.items()} | {name: ("U8", shape)})
    header += b"".join(array.tobytes() for array in others.values())
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        file.write(header)
        for chunk in chunks:
            if chunk.dtype != np.uint8 or chunk.shape[1:] != shape[1:]:
                raise ValueError(f"{path}: rows of {chunk.dtype} {chunk.shape[1:]} for uint8 {shape[1:]}")
            file.write(np.ascontiguousarray(chunk).data)
        if file.tell() != len(header) + math.prod(shape):
            raise ValueError(f"{path}: not as many rows as {shape[0]}")


def stack_on_disk(rows: Iterable[np.ndarray], folder: str | Path = ".") -> np.ndarray:
    """``np.stack`` of uint8 arrays of one shape, with one in memory at a time; returns a read-only memory map.

    The map's file in ``folder`` has no name, so it disappears with its last user, even one that is killed. The default
    is not the system's folder for temporary files, because that may itself lie in memory.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            count, shape = 0, ()
            for row in rows:
                count, shape = count + 1, row.shape
                file.write(np.ascontiguousarray(row).data)
            file.flush()
            return _mapped(file, 0, (count, *shape))
    except OSError as error:  # a full disk, say
        raise OSError(error.errno, error.strerror, f"a temporary file in {Path(folder).resolve()}") from error


def gathered(parts: Iterable[tuple[np.ndarray, ...]], folder: str | Path = ".") -> tuple[np.ndarray, ...]:
    """``np.concatenate`` of several arrays of which the parts come together. At least one part must come.

    What is larger than IN_MEMORY becomes read-only memory maps of files without a name, as in ``stack_on_disk``.
    """
    parts, kept, size = iter(parts), [], 0
    for part in parts:
        kept.append(part)
        size += sum(array.nbytes for array in part)
        if size > IN_MEMORY:
            return _gathered_on_disk(chain(kept, parts), kept[0], folder)
    return tuple(np.concatenate(arrays) for arrays in zip(*kept, strict=True))


def _gathered_on_disk(
    parts: Iterable[tuple[np.ndarray, ...]], first: tuple[np.ndarray, ...], folder: str | Path
) -> tuple[np.ndarray, ...]:
    try:
        with ExitStack() as stack:
            files = [stack.enter_context(tempfile.TemporaryFile(dir=folder)) for _ in first]
            rows = 0
            for part in parts:
                rows += len(part[0])
                for file, array in zip(files, part, strict=True):
                    file.write(np.ascontiguousarray(array).data)
            for file in files:
                file.flush()
            found = zip(files, first, strict=True)
            return tuple(_mapped(file, 0, (rows, *array.shape[1:]), array.dtype) for file, array in found)
    except OSError as error:  # a full disk, say
        raise OSError(error.errno, error.strerror, f"a temporary file in {Path(folder).resolve()}") from error


def _mapped(file: IO[bytes], offset: int, shape: tuple[int, ...], kind: np.dtype[Any] = KINDS["U8"]) -> np.ndarray:
    if 0 in shape:  # no system maps zero bytes
        return np.empty(shape, kind)
    return np.asarray(np.memmap(file, kind, "r", offset, shape))


def save_table(path: str | Path, table: "pd.DataFrame", provenance: Mapping[str, Any] | None = None) -> None:
    """Write a table as parquet or csv, by the path's ending; ``provenance`` (parquet only) goes into its metadata."""
    with atomic_file(path) as temporary:
        if Path(path).suffix == ".csv":
            table.to_csv(temporary, index=False, lineterminator="\n")
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        arrow = pa.Table.from_pandas(table, preserve_index=False)
        # pandas' own metadata names library versions, so the bytes would change with them
        metadata = {"winnow": json.dumps(dict(provenance), sort_keys=True)} if provenance else None
        pq.write_table(arrow.replace_schema_metadata(metadata), temporary, compression="zstd")


def load_table(path: str | Path, columns: list[str] | None = None) -> "pd.DataFrame":
    """Read a parquet or csv table. Raises UserError if it is missing or damaged."""
    import pandas as pd

    with readable(path, "table"):
        if Path(path).suffix == ".csv":
            return pd.read_csv(path, usecols=columns)
        refuse_larger_than_memory(path)
        return pd.read_parquet(path, columns=columns)


def load_column(path: str | Path, name: str) -> np.ndarray:
    """One column of a parquet table. Raises UserError if it is missing or damaged."""
    import pyarrow.parquet as pq

    with readable(path, f"table with a column {name}"):
        refuse_larger_than_memory(path)
        with pq.ParquetFile(path) as file:
            column = file.read(columns=[name])[name]
        # not read_table or to_numpy, which import pandas
        return np.array(column.to_pylist(), column.type.to_pandas_dtype())


def refuse_larger_than_memory(file: str | Path | IO[bytes]) -> None:
    """Raise ValueError if a parquet file says that it holds more than the memory of this machine: a few bytes can say
    so, and be a table that repeats itself."""
    import pyarrow.parquet as pq

    about = pq.read_metadata(file)
    groups = [about.row_group(number) for number in range(about.num_row_groups)]
    rows = max(about.num_rows, sum(group.num_rows for group in groups))
    needed = 8 * rows * about.num_columns + sum(group.total_byte_size for group in groups)
    if needed > (there := _memory()):
        claimed, memory = (f"{size / 2**30:.0f} GiB" for size in (needed, there))
        raise ValueError(f"it claims {rows} rows, {claimed}; there are {memory} of memory")


def _memory() -> int:
    """Bytes of memory that this process may take."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return whole if limit == resource.RLIM_INFINITY else min(limit, whole)


def load_provenance(path: str | Path) -> dict[str, Any]:
    """Read the provenance that ``save_table`` wrote into a parquet table, or an empty dict.

    Raises UserError if the table is missing or damaged.
    """
    import pyarrow.parquet as pq

    with readable(path, "parquet table"):
        return _provenance((pq.read_schema(path).metadata or {}).get(b"winnow", b"{}"))


def save_json(path: str | Path, value: Any) -> None:
    """Write json, indented, keys in the order given, floats as they are."""
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def load_json(path: str | Path) -> Any:
    """Read json. Raises UserError if it is missing or damaged."""
    with readable(path, "json file"):
        return json.loads(Path(path).read_text(encoding="utf-8"))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
