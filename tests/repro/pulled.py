"""A project of DVC and its remote, a folder, written by hand: two outputs, a file and a folder, and nothing pulled."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dvc.stage.cache import _get_cache_hash
from ruamel.yaml import YAML

FILES = {"a.bin": b"alpha\n", "d/one": b"one\n", "d/more/two": b"two\n"}
STAGES = {"make": {"cmd": "make it", "deps": ["in"], "outs": ["a.bin", "d"]}}


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def as_list(files: Mapping[str, str]) -> bytes:
    """The list of a folder's files, from their paths and hashes, as DVC writes it."""
    entries = [{"md5": name, "relpath": path} for path, name in sorted(files.items())]
    return json.dumps(entries, sort_keys=True).encode()


@dataclass(frozen=True)
class Project:
    """The project and its remote lie side by side in a folder of their own."""

    above: Path

    @property
    def folder(self) -> Path:
        return self.above / "project"

    def remote(self, name: str) -> Path:
        """The file of an object on the remote, by its hash or by the path in the project of what it holds."""
        name = {"d": f"{md5(LIST)}.dir", **{path: md5(content) for path, content in FILES.items()}}.get(name, name)
        return self.above / "remote/files/md5" / name[:2] / name[2:]

    def cached(self, name: str) -> Path:
        return self.folder / ".dvc/cache" / self.remote(name).relative_to(self.above / "remote")

    def put(self, content: bytes, name: str | None = None) -> str:
        """Put an object on the remote, by default under its hash. Returns the name."""
        name = name or md5(content)
        file = self.remote(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_bytes(content)
        file.chmod(0o444)  # as DVC leaves them: it does not hash such a file
        return name

    def lock(self, **md5s: str) -> None:
        """Write dvc.lock, in which an output may have another hash."""
        names = {"a.bin": md5(FILES["a.bin"]), "d": f"{md5(LIST)}.dir", **md5s}
        dump(self.folder / "dvc.lock", {"schema": "2.0", "stages": {"make": entry(names)}})

    def elsewhere(self) -> dict[str, bytes | str]:
        """All files and links but those that DVC and a pull may write: what must stay as it is."""
        allowed = (self.folder / ".dvc/cache", self.folder / ".dvc/tmp", self.above / "site")
        outputs = [self.folder / "a.bin", self.folder / "d"]
        found = [path for path in sorted(self.above.rglob("*")) if not {*path.parents, path} & {*allowed, *outputs}]
        return {str(path): path.read_bytes() for path in found if path.is_file()}

    def files(self) -> dict[str, bytes]:
        return {path: (self.folder / path).read_bytes() for path in FILES if (self.folder / path).exists()}

    def run(self, about: Mapping[str, Any], key: str | None = None, text: str | None = None) -> Path:
        """Put an entry of the run cache on the remote, by default under its own key."""
        key = key or _get_cache_hash(json.loads(json.dumps(about)), key=True)
        file = self.above / "remote/runs" / key[:2] / key / _get_cache_hash(json.loads(json.dumps(about)))
        dump(file, about)
        if text is not None:
            file.write_text(text)
        return file


LIST = as_list({path.removeprefix("d/"): md5(content) for path, content in FILES.items() if path.startswith("d/")})


def entry(names: Mapping[str, str]) -> dict[str, Any]:
    """What dvc.lock, or the run cache, says of a run of the stage, from the hashes of its outputs."""
    outs = [{"path": path, "hash": "md5", "md5": name} for path, name in names.items()]
    return {"cmd": "make it", "deps": [{"path": "in", "hash": "md5", "md5": md5(b"in")}], "outs": outs}


def dump(path: Path, values: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    with path.open("w") as file:
        yaml.dump(values, file)


def make(above: Path) -> Project:
    project = Project(above)
    (project.folder / ".git/hooks").mkdir(parents=True)
    (project.folder / ".dvc").mkdir()
    url = os.fspath(above / "remote")
    config = (
        f"[core]\n    no_scm = True\n    remote = team\n    analytics = false\n['remote \"team\"']\n    url = {url}\n"
    )
    (project.folder / ".dvc/config").write_text(config)
    (project.folder / "in").write_bytes(b"in")
    dump(project.folder / "dvc.yaml", {"stages": STAGES})
    project.lock()
    for content in FILES.values():
        project.put(content)
    project.put(LIST, f"{md5(LIST)}.dir")
    return project
