"""The files of an experiment, by their path in the project: of the working tree, or of another revision."""

import json
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from winnow.storage import readable, refuse_larger_than_memory


class Files(Protocol):
    """What a page is made from. A missing file is no error: the page says what it has."""

    def read(self, path: str) -> bytes | None:
        """The content of a file, or None if it is missing."""

    def names(self, folder: str) -> list[str]:
        """The paths of the files right below a folder, sorted."""


class Folder:
    """The files below a folder of this machine."""

    def __init__(self, root: str | Path = ".") -> None:
        self._root = Path(root)

    def read(self, path: str) -> bytes | None:
        file = self._root / path
        return file.read_bytes() if file.is_file() else None

    def names(self, folder: str) -> list[str]:
        root = self._root / folder
        paths = sorted(root.iterdir()) if root.is_dir() else []
        return [f"{folder}/{path.name}" for path in paths if path.is_file() and not path.name.startswith(".")]


def table(files: Files, path: str, columns: Iterable[str] = ()) -> pd.DataFrame:
    """A csv or parquet table; an empty one, with these columns, if the file is missing or has no rows. Raises UserError
    if it is damaged."""
    content = files.read(path)
    if not content:
        return pd.DataFrame(columns=list(columns))
    with readable(path, "table"):
        if path.endswith(".csv"):
            return pd.read_csv(BytesIO(content))
        refuse_larger_than_memory(BytesIO(content))
        return pd.read_parquet(BytesIO(content))


def values(files: Files, path: str) -> dict[str, Any]:
    """The object of a json file; an empty one if it is missing. Raises UserError if it is damaged."""
    content = files.read(path)
    with readable(path, "json file"):
        return json.loads(content) if content else {}
