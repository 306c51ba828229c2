"""Which of the project's files a stage imports, by their source; ``python -m tests.imports`` writes them to dvc.yaml.

A stage must declare all of them, or the cache could hold what older code made; and no other, or it reruns for nothing.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from winnow.scores import names

ROOT = Path(__file__).parents[1]
BY_NAME = {"stages.score": (*names.OF_OUTPUTS, *names.OF_THE_DATA), "stages.score_gradients": names.OF_GRADIENTS}


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


def with_code(dvc_yaml: str) -> str:
    """The text of dvc.yaml with the lines of code dependencies of every stage as they should be.

    A dependency ``src/winnow/scores/${item.score}.py`` stands for a module imported by name: what the scores of that
    stage import is declared with it.
    """
    lines: list[str] = []
    modules: list[str] = []
    for line in dvc_yaml.splitlines():
        if command := re.search(r"cmd: exec python -m (stages\.\w+)", line):
            modules = [command[1]]
        if named := re.search(r"- src/(winnow/\w+)/\$\{item", line):
            folder = named[1].replace("/", ".")
            modules += [f"{folder}.{name}" for name in BY_NAME[modules[0]]]
        if re.fullmatch(r"\s+outs:", line):  # the deps end here
            by_name = {path.relative_to(ROOT).as_posix() for module in modules[1:] for path in _files(module)[-1:]}
            indent = line[: len(line) - len(line.lstrip())] + "  "
            lines += [f"{indent}- {file}" for file in sorted(imported_files(*modules) - by_name)]
        if not re.fullmatch(r"\s+- (src/winnow|stages)/[\w/]+\.py", line):
            lines.append(line)
    return "\n".join(lines) + "\n"


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
    file = ROOT / "dvc.yaml"
    file.write_text(with_code(file.read_text(encoding="utf-8")), encoding="utf-8")
