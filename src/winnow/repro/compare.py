"""A page that compares the working tree's results with those of a revision of git, such as main."""

import re
from pathlib import Path

from winnow.errors import UserError

FOLDER = Path("report")
REPORT = FOLDER / "index.html"


class Revision:
    """The files of a revision: those in git, and of DVC's outputs those that its cache, or its remote, has."""

    def __init__(self, revision: str) -> None:
        from dvc.api import DVCFileSystem
        from dvc.exceptions import DvcException

        self._files = DVCFileSystem(".", rev=revision)
        try:
            _ = self._files.repo  # opened at first use
        except DvcException as error:
            reason = " ".join(str(error).split())
            raise UserError(f"{revision}: {reason}; give a branch, a tag or a commit") from None

    def read(self, path: str) -> bytes | None:
        try:
            return self._files.read_bytes(path)
        except (OSError, KeyError):  # in neither git nor the cache
            return None

    def names(self, folder: str) -> list[str]:
        try:
            entries = self._files.ls(folder, detail=True)
        except (OSError, KeyError):
            return []
        names = [entry["name"] for entry in entries if entry["type"] == "file"]
        return sorted(name for name in names if not Path(name).name.startswith("."))


def compare(revision: str) -> Path:
    """Write the page that shows both, and return its path. Raises UserError if there is no such revision."""
    from winnow.datasets.images import load_pixels
    from winnow.page.files import Folder
    from winnow.page.page import Experiment, page
    from winnow.params.base import read_yaml
    from winnow.storage import atomic_file

    files, other = Folder(), Revision(revision)
    text = (files.read("params.yaml") or b"").decode()
    experiment = Experiment(files, read_yaml("params.yaml"), text, load_pixels("data/images", "train"))
    path = FOLDER / f"compare-{re.sub(r'[^A-Za-z0-9._-]', '-', revision)}.html"
    with atomic_file(path) as file:
        file.write_text(page(experiment, {revision: other}), encoding="utf-8")
    return path
