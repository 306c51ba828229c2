"""What undisturbed runs of a project write and end in, to compare with."""

import time
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

from tests.faults import small
from tests.faults.injected import NEVER, Write, writes
from tests.faults.small import MAKE, PROGRAMS
from tests.repro.toy import Toy


class Measured:
    """A project, and a run of it by each program: ``finished``, ``seconds``, ``writes``, and ``results``, what both end
    in."""

    def __init__(self, new: Toy, box: Path) -> None:
        self.new = new
        self.finished: dict[str, Toy] = {}
        self.writes: dict[str, list[Write]] = {}
        self.seconds: dict[str, float] = {}
        for program, command in PROGRAMS.items():
            toy = self.finished[program] = small.copy(new, box / program.replace(" ", "-"))
            log, begun = box / f"{program}.log", time.monotonic()
            with NEVER.environment(toy.folder.parent, log) as environment:
                status, printed = small.run(toy, *command, **environment)
            assert status == 0, printed
            self.seconds[program] = time.monotonic() - begun
            self.writes[program] = writes(log, toy.folder.parent)
        self.results = small.results(self.finished["dvc repro"])
        assert small.differences(small.results(self.finished["make repro"]), self.results) == []

    def begin(self, program: str, changes: bool, box: Path) -> tuple[Toy, dict[str, bytes]]:
        """A project in which the program has something to do, and what it must end in."""
        return small.copy(self.new, box), self.results

    def count(self, program: str, pattern: str) -> int:
        """How many writes an undisturbed run of the program makes to paths like this."""
        return sum(fnmatch(f"/{write.path}", pattern) for write in self.writes[program])

    def space(self, program: str) -> Counter[str]:
        """How many of a run's writes need space, by path."""
        return Counter(write.path for write in self.writes[program] if write.what in ("write", "mkdir", "link"))


class Reference(Measured):
    """The small project: all is to run, or all has run and ``changed`` is what a change of a parameter ends in."""

    def __init__(self, box: Path) -> None:
        super().__init__(small.make(box / "new"), box)
        changed = small.copy(self.finished["dvc repro"], box / "changed")
        small.change(changed)
        assert small.run(changed, *MAKE)[0] == 0
        self.changed = small.results(changed)

    def begin(self, program: str, changes: bool, box: Path) -> tuple[Toy, dict[str, bytes]]:
        if not changes:
            return super().begin(program, changes, box)
        toy = small.copy(self.finished[program], box)
        small.change(toy)
        return toy, self.changed
