"""Which of the project's files a script imports, read from the source, so that dvc.yaml can be held against it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]


def imported_files(*modules: str) -> set[str]:
    """The files of these modules, and every file of src/winnow and stages that they import at any depth, in functions
    too. Paths are relative to the project's root.
    """
    found: set[Path] = set()
    todo = [path for module in modules for path in _files(module)]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += [file for module in _imports(path) for file in _files(module)]
    return {path.relative_to(ROOT).as_posix() for path in found}


def _files(module: str) -> list[Path]:
    """The file of a module and of the packages above it; none for modules that are not the project's."""
    parts = module.split(".")
    if parts[0] not in ("winnow", "stages"):
        return []
    above = ROOT / "src" if parts[0] == "winnow" else ROOT
    packages = [above.joinpath(*parts[:i], "__init__.py") for i in range(1, len(parts) + 1)]
    return [path for path in [*packages, above.joinpath(*parts).with_suffix(".py")] if path.exists()]


def _imports(path: Path) -> Iterator[str]:
    for node in _walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"winnow(\.\w+)+", node.value):
            yield node.value  # an entry of a registry, imported when its name is asked for


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.FunctionDef) and child.name == "__getattr__" and isinstance(node, ast.Module):
            continue  # what a package lends to the user's own code when it is asked for
        yield child
        yield from _walk(child)
