"""The part of the params that one stage may read."""

from collections.abc import Iterable
from typing import Any


class View:
    """The part of the params that one stage declares; reading any other key is an error.

    So a stage's output cannot depend on a key that dvc.yaml does not know of: the cache would go stale unnoticed.
    """

    def __init__(self, values: Any, declared: Iterable[str], path: str = "") -> None:
        self._values, self._declared, self._path = values, tuple(declared), path

    def __getattr__(self, name: str) -> Any:
        return self[name]

    def __getitem__(self, name: str) -> Any:
        path = f"{self._path}.{name}" if self._path else name
        value = self._values[name] if isinstance(self._values, dict) else getattr(self._values, name)
        if any(path == key or path.startswith(f"{key}.") for key in self._declared):
            return value
        if any(key.startswith(f"{path}.") for key in self._declared):
            return View(value, self._declared, path)
        raise UndeclaredParameterError(f"{path} is read, but dvc.yaml declares only {', '.join(self._declared)}")


class UndeclaredParameterError(Exception):
    """A stage read a parameter that dvc.yaml does not declare for it: a mistake in the pipeline, not the user's."""
