"""What undisturbed runs of the small project write and end in, to compare with."""

import time
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

import small
from injected import NEVER, Write, writes
from small import MAKE, PROGRAMS
from toy import Toy


class Reference:
    """``new``: nothing has run. ``finished``: all has run, once with each program. ``results``: what they end in,
    ``changed``: what they end in after ``small.change``."""

    def __init__(self, box: Path) -> None:
        self.new = small.make(box / "new")
        self.finished: dict[str, Toy] = {}
        self.writes: dict[str, list[Write]] = {}
        self.seconds: dict[str, float] = {}
        for program, command in PROGRAMS.items():
            toy = self.finished[program] = small.copy(self.new, box / program.replace(" ", "-"))
            log, begun = box / f"{program}.log", time.monotonic()
            with NEVER.environment(toy.folder.parent, log) as environment:
                status, printed = small.run(toy, *command, **environment)
            assert status == 0, printed
            self.seconds[program] = time.monotonic() - begun
            self.writes[program] = writes(log, toy.folder.parent)
        self.results = small.results(self.finished["dvc repro"])
        assert small.results(self.finished["make repro"]) == self.results
        changed = small.copy(self.finished["dvc repro"], box / "changed")
        small.change(changed)
        assert small.run(changed, *MAKE)[0] == 0
        self.changed = small.results(changed)

    def count(self, program: str, pattern: str) -> int:
        """How many writes an undisturbed run of the program makes to paths like this."""
        return sum(fnmatch(f"/{write.path}", pattern) for write in self.writes[program])

    def space(self, program: str) -> Counter[str]:
        """How many of a run's writes need space, by path."""
        return Counter(write.path for write in self.writes[program] if write.what in ("write", "mkdir", "link"))
