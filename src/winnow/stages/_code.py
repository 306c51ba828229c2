"""Which code a stage runs: the files that its script imports, with a hash of each file's meaning. For scripts that
build networks, this includes the user's networks and all files that these use.

The stage ``check`` writes these lists, and a stage depends on its list in place of the files. So a change of code
reruns exactly the stages that import it, and no file can be forgotten. It also keeps dvc.lock short: DVC rewrites it
after every stage, in a fraction of a second. Comments, docstrings and formatting do not count as meaning, so a change
of prose reruns nothing.
"""

import ast
import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from winnow import methods
from winnow.errors import UserError
from winnow.params.training import Network

Chosen = Mapping[str, Collection[str]]  # by family, the methods that are used

ABOVE = Path(__file__).parents[2]  # the folder that the package winnow lies in: src, or site-packages
OWN = Path("networks")  # the folder of the user's networks
BUILDS_THEM = ABOVE / "winnow/networks/own.py"


@cache  # most files are imported by many scripts
def meaning(path: Path) -> str:
    """A hash (SHA-256, hex) of a file's syntax tree without docstrings, the same under every version of Python. For a
    file that is not Python, a hash of its bytes.

    All names count, also those of local variables: the tree does not tell which of them other files can see.
    """
    if path.suffix != ".py":
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(json.dumps(_plain(_tree(path))).encode()).hexdigest()


@cache
def _tree(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError) as error:  # in a file of the user's
        raise UserError(f"{path}: not Python ({error})") from None


def _plain(part: Any) -> Any:
    """A part of a syntax tree as lists, maps and text. Empty fields are left out, because newer Pythons have more of
    them."""
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


def shown(path: Path) -> Path:
    """A path as the lists have it, the same wherever Winnow is installed: winnow/storage.py, networks/mine.py."""
    return path.relative_to(ABOVE) if path.is_relative_to(ABOVE) else path


def code_of(module: str, chosen: Chosen | None = None, own: Collection[Path] = ()) -> str:
    """The list of a module's code: a line for each of the ``imported_files``, its meaning and its path. own: the files
    of the user's networks, which count if the module builds networks."""
    files = imported_files(module, chosen)
    files += sorted(set(own) - set(files)) if BUILDS_THEM in files else []
    return "".join(f"{meaning(file)}  {shown(file)}\n" for file in files)


def imported_files(module: str, chosen: Chosen | None = None) -> list[Path]:
    """The file of a module, and every file of winnow that it imports at any depth, also inside functions; of a package
    also its assets.

    Code that names a family of methods counts as importing the chosen ones, or all if the family is not in ``chosen``.
    """
    files = _with_imports(_files(module), chosen or {})
    assets = [path for file in files if file.name == "__init__.py" for path in (file.parent / "assets").glob("*")]
    return sorted(files + assets)


def own_files(network: Network) -> list[Path]:
    """The files that a network of the user's uses: its module, all files of its own folder, if it has one, what these
    import from the project, and its starting weights. Other networks only have starting weights, if any. Missing files
    are left out.

    Raises UserError if they import code from elsewhere in the project, or lie behind a link to a folder: DVC would not
    see such code change.
    """
    weights = [Path(network.weights)] if network.weights and Path(network.weights).exists() else []
    if not network.name.startswith(f"{OWN}."):
        return weights
    module = network.name.partition(":")[0]
    folder = OWN / module.split(".")[1]
    beside = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    found = _with_imports(_files(module) + beside, {})
    for path in found:
        if path.is_relative_to(OWN):
            _refuse_unwatched(path)
    return found + weights


def _refuse_unwatched(path: Path) -> None:
    for link in path.parents:
        if link.is_relative_to(OWN) and link != OWN and link.is_symlink():
            raise UserError(f"{link}: a link to a folder: DVC does not look behind it; copy the folder")
    for module in _imports(path):
        if module.partition(".")[0] not in (OWN.name, "winnow") and _project_files(module, Path()):
            raise UserError(
                f"{path}: imports {module}, which lies in the project, but not in the folder {OWN}, which alone DVC "
                "watches for your networks: move it there"
            )


def _with_imports(todo: list[Path], chosen: Chosen) -> list[Path]:
    """These files, and every file of the project that they import at any depth."""
    found: set[Path] = set()
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += _imported(path)
            families = _families(path) if path.suffix == ".py" else []
            todo += [file for family in families for file in _methods(family, chosen)]
    return sorted(found)


def _files(module: str) -> list[Path]:
    """The files of a module and of the packages above it; none if the module is not the project's."""
    above = {"winnow": ABOVE, OWN.name: Path()}.get(module.partition(".")[0])
    return [] if above is None else _project_files(module, above)


def _project_files(module: str, above: Path) -> list[Path]:
    parts = module.split(".")
    packages = [above.joinpath(*parts[:i], "__init__.py") for i in range(1, len(parts) + 1)]
    return [path for path in [*packages, above.joinpath(*parts).with_suffix(".py")] if path.exists()]


def _methods(family: str, chosen: Chosen) -> list[Path]:
    """The files of a family's package and of its chosen methods."""
    names = chosen[family] if family in chosen else methods.names(family)
    return _files(family) + [file for name in names for file in _files(f"{family}.{methods.module_name(name)}")]


@cache
def _families(path: Path) -> list[str]:
    """The families of methods that a file names: the packages in its strings. Their methods are imported by name."""
    texts = [node.value for node in _nodes(path) if isinstance(node, ast.Constant)]
    names = [text for text in texts if isinstance(text, str) and re.fullmatch(r"winnow(\.\w+)+", text)]
    return [name for name in names if ABOVE.joinpath(*name.split("."), "__init__.py").exists()]


@cache
def _imported(path: Path) -> list[Path]:
    """The files of the project that a file imports."""
    return sorted({file for module in set(_imports(path)) for file in _files(module)})


def _imports(path: Path) -> list[str]:
    return list(_modules(path)) if path.suffix == ".py" else []


def _modules(path: Path) -> Iterator[str]:
    for node in _nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = shown(path).parts[: -node.level] if node.level else ()  # `from . import x`
            module = ".".join([*package, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


@cache
def _nodes(path: Path) -> list[ast.AST]:
    """All nodes of a file's syntax tree, except code that only a type checker reads."""
    nodes: list[ast.AST] = [_tree(path)]
    for node in nodes:  # grows in the loop
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            nodes += node.orelse
        else:
            nodes += ast.iter_child_nodes(node)
    return nodes
