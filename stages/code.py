"""Write which code every stage runs: the files that its script imports, with their hashes, one list for each script.

A stage depends on its list in place of the files. So a change of code reruns the stages that import it, and no other,
and none can be forgotten; and dvc.lock, which DVC writes anew after every stage, stays short enough to be written in a
fraction of a second.
"""

import ast
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from stages._stage import CODE, main
from winnow.storage import atomic_file


def code() -> None:
    for script in sorted(path.stem for path in Path("stages").glob("[a-z]*.py") if path.stem != "code"):
        lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path}\n" for path in imported_files(script))
        with atomic_file(CODE / f"{script}.txt") as file:
            file.write_text("".join(lines), encoding="utf-8")


def imported_files(script: str) -> list[Path]:
    """The file of a script and every one of src/winnow and stages that it imports at any depth, in functions too, but
    for the modules of BY_NAME. Paths are relative to the project's root, which is the working directory.
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


def _imports(path: Path) -> Iterator[str]:
    for node in _walk(ast.parse(path.read_text(encoding="utf-8"))):
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
