"""Shows the progress of several stages: a line for each stage that ended, and how far the running ones are."""

import json
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Display:
    """Prints lines; in a terminal also, below them, one bar for all stages together and one for every running stage."""

    def __init__(self, stages: int) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=self._console, transient=True, disable=not sys.stdout.isatty())
        self._all = self._bars.add_task("all stages", total=stages)
        self._of: dict[str, TaskID] = {}
        self._begun: dict[str, float] = {}

    def __enter__(self) -> "Display":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self._bars.disable:  # else older versions of rich print an empty line
            self._bars.stop()

    def starts(self, stage: str) -> None:
        self._begun[stage] = time.monotonic()
        self._of[stage] = self._bars.add_task(stage, total=None)

    def progress(self, stage: str, file: Path) -> None:
        """Show the progress that a stage wrote to its file."""
        try:
            about = json.loads(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return
        self._bars.update(
            self._of[stage], description=about["label"], completed=about["done"], total=about["total"] or None
        )

    def ends(self, stage: str, what: str, printed: str = "") -> None:
        """Print a line about a stage, and below it what the stage printed."""
        if stage in self._of:
            self._bars.remove_task(self._of.pop(stage))
            what += f" in {time.monotonic() - self._begun.pop(stage):.1f} s"
        self._bars.advance(self._all)
        self.say(f"{stage} {what}")
        if printed.strip():
            self.say("\n".join(f"  {line}" for line in printed.strip().splitlines()))

    def unchanged(self) -> None:
        self._bars.advance(self._all)

    def say(self, text: str) -> None:
        self._console.print(text, markup=False)
        sys.stdout.flush()
