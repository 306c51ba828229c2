"""Makes DVC doubt what a cache or a remote gives it, in winnow pull and make repro. Plain dvc commands do not run this.

DVC 3.67 believes them (SECURITY.md). It does not compare an object with its hash unless the
remote's ``verify`` is on, and even then it uses a folder's list before it compares that. It writes a folder's files
wherever the list says, such as ``../.git/hooks/post-checkout``. It takes an entry of the run cache for the run of any
stage whose name the entry has, whatever outputs the entry names.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from dvc.stage.cache import _get_cache_hash
from dvc_data.hashfile.db import HashFileDB
from dvc_data.hashfile.db.local import LocalHashFileDB
from dvc_data.hashfile.tree import Tree
from dvc_objects.db import ObjectDB
from dvc_objects.errors import ObjectFormatError
from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.events import AliasEvent

FILE = re.compile(r"[0-9a-f]{32}")
NO_NAME = re.compile(r"[/\\\0]|\.\.")  # what no hash has: it would lead out of the cache
LONGEST = 2**28  # bytes of a folder's list, which is read whole: two million files
LONGEST_RUN = 10**7  # bytes of an entry of the run cache


def distrust() -> None:
    """Make this process's DVC check the names in every folder's list, the list itself, and the names of objects."""
    tree: Any = Tree
    tree.load = classmethod(_load)
    for store, to_path in _TO_PATH.items():
        store.oid_to_path = _checked(to_path)


_STORES: tuple[Any, ...] = (ObjectDB, LocalHashFileDB)
_TO_PATH = {store: store.oid_to_path for store in _STORES}


def _checked(to_path: Any) -> Any:
    def oid_to_path(store: Any, name: str) -> str:
        if NO_NAME.search(name):
            raise ObjectFormatError(f"{name!r} is no name of an object")
        return str(to_path(store, name))

    return oid_to_path


def _load(_: type[Tree], store: HashFileDB, hash_info: Any, hash_name: str | None = None) -> Tree:
    """The files of a folder, as ``Tree.load`` gives them, if the list is what its hash says, and all lie inside."""
    found = store.get(hash_info.value)
    with found.fs.open(found.path, "rb") as file:
        content = file.read(LONGEST + 1)
    tree = listed(content, hash_info.value, hash_name)
    tree.path, tree.fs, tree.hash_info, tree.oid = found.path, found.fs, hash_info, hash_info.value
    return tree


def listed(content: bytes, name: str, hash_name: str | None = None) -> Tree:
    """The files in the list of the folder with this hash. Raises ObjectFormatError if it is another list, or names a
    file that is not inside the folder."""
    try:
        entries = json.loads(content if len(content) <= LONGEST else b"")
        for entry in entries:
            parts = entry["relpath"].split("/")
            if not FILE.fullmatch(entry["md5"]) or any(part in ("", ".", "..") or "\0" in part for part in parts):
                raise ObjectFormatError(f"{name} lists {entry['relpath']!r}, which is no file in a folder")
        tree = Tree.from_list(entries, hash_name=hash_name)
        if f"{hashlib.md5(tree.as_bytes(), usedforsecurity=False).hexdigest()}.dir" != name:
            raise ObjectFormatError(f"{name} is corrupted")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):  # no list of files
        raise ObjectFormatError(f"{name} is corrupted") from None
    return tree


def run_of(content: bytes, key: str, value: str) -> Mapping[str, Any] | None:
    """The entry of the run cache in the file runs/../KEY/VALUE, if it is whole (VALUE is its hash), and of the command,
    the inputs and the names of outputs that KEY stands for; else None. What the outputs hold, only a run could tell."""
    try:
        text = content.decode() if len(content) <= LONGEST_RUN else ""
        if any(isinstance(event, AliasEvent) for event in YAML(typ="safe").parse(text)):
            return None  # a few lines of YAML would become gigabytes
        entry = YAML(typ="safe").load(text)
        names = [out.get("md5", "").removesuffix(".dir") for out in entry["outs"]]
        right = all(map(FILE.fullmatch, names)) and _get_cache_hash(entry) == value
        right = right and _get_cache_hash(deepcopy(entry), key=True) == key
    except (YAMLError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return dict(entry) if right else None
