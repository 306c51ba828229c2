"""A project of a comparison."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Project:
    """A project of one setting; repeat: its number among those of the setting, from 0, which differ in their seeds."""

    setting: str
    repeat: int
    folder: Path
