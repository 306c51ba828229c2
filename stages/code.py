"""Write which code every stage runs: the files that its script imports, with a hash of what each means, one list for
each script.

A stage depends on its list in place of the files. So a change of code reruns the stages that import it, and no other,
and none can be forgotten; and dvc.lock, which DVC writes anew after every stage, stays short enough to be written in a
fraction of a second. Comments, docstrings and formatting are not part of what a file means, so prose reruns nothing.
"""

import ast
import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from stages._stage import CODE, main
from winnow.storage import atomic_file


def code() -> None:
    for script in sorted(path.stem for path in Path("stages").glob("[a-z]*.py") if path.stem != "code"):
        lines = (f"{meaning(path)}  {path}\n" for path in imported_files(script))
        with atomic_file(CODE / f"{script}.txt") as file:
            file.write_text("".join(lines), encoding="utf-8")


@cache  # most files are imported by many scripts
def meaning(path: Path) -> str:
    """A hash (SHA-256, hex) of a file's syntax tree without its docstrings, the same under every version of Python.

    Names count, those of local variables too: which of them can be seen from elsewhere is more than the tree tells.
    """
    return hashlib.sha256(json.dumps(_plain(_tree(path))).encode()).hexdigest()


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _plain(part: Any) -> Any:
    """A part of a syntax tree as lists, maps and text, without empty fields, of which a new Python has more."""
    if isinstance(part, list):
        return [_plain(item) for item in part]
    if not isinstance(part, ast.AST):
        return part
    if isinstance(part, ast.Constant):
        return repr(part.value)
    fields = dict(ast.iter_fields(part))
    if isinstance(part, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and _has_docstring(part):
        fields["body"] = part.body[1:]
    if isinstance(part, ast.JoinedStr):  # Python 3.12.1 ends some f-strings with an empty text
        fields["values"] = [
            value for value in part.values if not (isinstance(value, ast.Constant) and value.value == "")
        ]
    kept = {name: _plain(value) for name, value in fields.items() if value is not None and value != []}
    return [type(part).__name__, kept]


def _has_docstring(part: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return ast.get_docstring(part, clean=False) is not None


def imported_files(script: str) -> list[Path]:
    """The file of a script and every one of src/winnow and stages that it imports at any depth, in functions too.
    Paths are relative to the project's root, which is the working directory.
    """
    found: set[Path] = set()
    todo = _files(f"stages.{script}")
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += [file for module in _imports(path) for file in _files(module)]
    return sorted(found)


def _files(module: str) -> list[Path]:
    """The file of a module and of the packages above it; none for modules that are not the project's."""
    parts = module.split(".")
    if parts[0] not in ("winnow", "stages"):
        return []
    above = Path("src" if parts[0] == "winnow" else ".")
    packages = [above.joinpath(*parts[:i], "__init__.py") for i in range(1, len(parts) + 1)]
    return [path for path in [*packages, above.joinpath(*parts).with_suffix(".py")] if path.exists()]


@cache
def _imports(path: Path) -> list[str]:
    return list(_modules(path))


def _modules(path: Path) -> Iterator[str]:
    for node in _walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"winnow(\.\w+)+", node.value)
        ):
            yield node.value  # an entry of a registry, imported when its name is asked for


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.FunctionDef) and child.name == "__getattr__" and isinstance(node, ast.Module):
            continue  # what a package lends to the user's own code when it is asked for
        yield child
        yield from _walk(child)


if __name__ == "__main__":
    main(code)
