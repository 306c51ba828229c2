"""Labels that the user gives by image id in a csv or parquet file: corrected ones after a review, or an annotator's."""

import csv
import math
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Row(NamedTuple):
    """A row of a file of labels: its place, such as "line 3", an image's id, and the label's text, "" for none."""

    place: str
    id: str
    label: str


def read_labels(path: str | Path, column: str) -> Iterator[Row]:
    """The rows of a csv or parquet file, of its columns ``id`` and ``column``.

    Without a column ``id``, a column ``path`` gives it: the id is "train/" and the path, as the sources image_folder
    and parquet name their images. Places are lines of a csv, as an editor counts them, and rows of a parquet, from 0.

    Raises ValueError that says what is wrong with the file.
    """
    table = _parquet if Path(path).suffix == ".parquet" else _csv
    key, rows = table(Path(path), column)
    for place, name, label in rows:
        yield Row(place, f"train/{name}" if key == "path" else name, label)


def _csv(path: Path, column: str) -> tuple[str, Iterator[tuple[str, str, str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")  # spreadsheets mark UTF-8 at the start
    except UnicodeDecodeError:
        raise ValueError("is not text in UTF-8") from None
    reader = csv.reader(StringIO(text), strict=True)
    columns = next(reader, [])
    key = _key(columns, column)
    return key, _rows(reader, columns.index(key), columns.index(column), len(columns))


def _rows(reader: Any, key: int, column: int, count: int) -> Iterator[tuple[str, str, str]]:
    try:
        for fields in filter(None, reader):  # an empty line has none
            if len(fields) != count:
                raise ValueError(f"line {reader.line_num}: must have {count} fields, as the first, not {len(fields)}")
            yield f"line {reader.line_num}", fields[key], fields[column]
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: is not csv ({error})") from None


def _parquet(path: Path, column: str) -> tuple[str, Iterator[tuple[str, str, str]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            key = _key(file.schema_arrow.names, column)
            table = file.read(columns=[key, column])
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"is not a readable parquet file ({' '.join(str(error).split())})") from None
    cells = zip(table[key].to_pylist(), table[column].to_pylist(), strict=True)
    return key, ((f"row {row}", _text(name), _text(label)) for row, (name, label) in enumerate(cells))


def _text(cell: Any) -> str:
    return "" if cell is None or (isinstance(cell, float) and math.isnan(cell)) else str(cell)


def _key(columns: Sequence[str], column: str) -> str:
    """The column that names the images."""
    key = "id" if "id" in columns or "path" not in columns else "path"
    for needed in (key, column):
        if list(columns).count(needed) != 1:
            hint = ", and commas between the columns" if len(columns) == 1 else ""
            raise ValueError(f"must have one column {needed!r}{hint}; it has {', '.join(columns)}")
    return key


def relabel(
    labels: np.ndarray,
    ids: Sequence[str],
    rows: Iterable[Row],
    class_names: Sequence[str],
    others: Collection[str] | None,
) -> np.ndarray:
    """The labels, int64 [n], of which the rows replace those of their images; all other images keep theirs.

    ids: of the n images. others: ids of further images, whose rows change nothing; None if they are not known, so that
    no id can be wrong. A row's label is a class's name or its number, which counts from 0; only its name where any
    class has a number for its name. A row without a label changes nothing.

    Raises ValueError that names the row if no image has its id, if there is no such class, or if another row
    gives the image another label; and if no row is of one of the n images, or a class is left without an image.
    """
    numbers = {name: number for number, name in enumerate(class_names)}
    if not any(re.fullmatch(r"[-+]?[\d.]+", name) for name in class_names):
        numbers |= {str(number): number for number in range(len(class_names))}
    image_of = {name: image for image, name in enumerate(ids)}
    found, places, known = labels.copy(), dict[int, str](), False
    for place, name, text in rows:
        image = image_of.get(name)
        known |= image is not None
        if image is None and others is not None and name not in others:
            raise ValueError(f"{place}: no training image has the id {name!r}; ids are such as {ids[0]!r}")
        # pandas writes a whole number as 3.0 where another cell of the column is empty
        label = numbers.get(text, numbers.get(re.sub(r"\.0$", "", text)))
        if label is None and text:
            raise ValueError(f"{place}: there is no class {text!r}; there are {_some(class_names)}")
        if label is None or image is None:
            continue
        if image in places and found[image] != label:
            both = f"{class_names[found[image]]!r} on {places[image]}, and {class_names[label]!r} here"
            raise ValueError(f"{place}: {name!r} is {both}; give it one label")
        found[image], places[image] = label, place
    if not known:
        raise ValueError(f"has no row of a training image; their ids are such as {ids[0]!r}")
    empty = sorted(set(numbers.values()) - set(found.tolist()))
    if empty:
        raise ValueError(f"leaves {class_names[empty[0]]!r} a class with no image to train on")
    return found


def marked(ids: Sequence[str], rows: Iterable[Row]) -> np.ndarray:
    """Whether a row marks the image with 1 or true, bool [n]; 0, false and no text do not mark it.

    ids: of the n images. Rows of other images change nothing. Raises ValueError that names the row whose text is
    another, or if no image is marked, or all are.
    """
    known = set()
    for place, name, text in rows:
        if text.lower() not in ("1", "1.0", "true", "0", "0.0", "false", ""):
            raise ValueError(f"{place}: must be 1 or 0, true or false, not {text!r}")
        known |= {name} if text.lower() in ("1", "1.0", "true") else set()
    found = np.array([name in known for name in ids], bool)
    if not found.any() or found.all():
        raise ValueError(f"marks {found.sum()} of the {len(ids)} training images; some must be marked, and some not")
    return found


def _some(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 20 else f"{', '.join(names[:20])}, …"
