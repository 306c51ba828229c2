"""Shows the progress of several stages: a line for each stage that ended, and how far the running ones are."""

import json
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

SECONDS_BETWEEN_STATUS = 2.0  # in a terminal, where the new one replaces the old
FIRST_LINE, LAST_PAUSE = (
    60.0,
    600.0,
)  # elsewhere: the first status is a line after so long, the next after twice as long

LONGEST_PAUSE = 20.0  # for what took long to find out


class Display:
    """Prints lines; in a terminal also, below them, one bar for all stages together and one for every running stage.

    The status, of what is done and left, stands beside the first bar. Elsewhere it is a line now and then: after a
    minute, then after pauses that double up to ten minutes.
    """

    def __init__(self, stages: int) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        status = TextColumn("{task.fields[status]}", style="dim")
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), status)
        self._bars = Progress(*columns, console=self._console, transient=True, disable=not sys.stdout.isatty())
        self._all = self._bars.add_task("all stages", total=stages, status="")
        self._pause = 0.0 if sys.stdout.isatty() else FIRST_LINE
        self._next_status = time.monotonic() + self._pause
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
        self._of[stage] = self._bars.add_task(stage, total=None, status="")

    def progress(self, stage: str, file: Path) -> tuple[str, float] | None:
        """Show the progress that a stage wrote to its file. Returns its label, and the fraction that is done; None if
        there is none."""
        try:
            about = json.loads(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        self._bars.update(
            self._of[stage], description=about["label"], completed=about["done"], total=about["total"] or None
        )
        return (str(about["label"]), about["done"] / about["total"]) if about["total"] else None

    def wants_status(self) -> bool:
        """Whether it is time to tell what is done and what is left."""
        return time.monotonic() >= self._next_status

    def status(self, text: str, seconds: float = 0.0) -> None:
        """Tell what is done and what is left: in a terminal beside the bar of all stages, else as a line. seconds: that
        it took to find out; the more, the longer the pause that follows."""
        if self._bars.disable:
            self.say(text)
            self._pause = min(2 * self._pause, LAST_PAUSE)
        else:
            self._bars.update(self._all, status=text)
            self._pause = SECONDS_BETWEEN_STATUS
        self._next_status = time.monotonic() + max(self._pause, min(20 * seconds, LONGEST_PAUSE))

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
