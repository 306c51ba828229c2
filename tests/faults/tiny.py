"""Kills in Winnow's own pipeline, on the tiny experiment of tests/pipeline: a cohort and a level are to be trained.
Also the whole default experiment, for kills on a cluster."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.faults import kills, small
from tests.faults.reference import Measured
from tests.faults.small import MAKE
from tests.faults.tried import Trial
from tests.pipeline.clone import ROOT, Clone, make
from tests.repro.toy import Toy

OUTS = {"early@a": "data/early/a", "prune@l1": "data/tickets/l1"}  # each of two networks


class Project(Toy):
    """A scratch clone of Winnow's repository."""

    def environment(self) -> dict[str, str]:
        return Clone(self.folder, self.folder.parent / "outside").environment()


class Tiny(Measured):
    """The tiny experiment, which has run, but for two stages of which DVC knows nothing."""

    def __init__(self, box: Path) -> None:
        clone = make(box / "tiny" / "project", box / "tiny" / "outside")
        (box / "tiny" / "tmp").mkdir()
        project = Project(clone.folder)
        assert small.run(project, *MAKE)[0] == 0
        clone.forget(OUTS)
        super().__init__(project, box)


class Default(Measured):
    """The default experiment, of which nothing has run."""

    def __init__(self, box: Path) -> None:
        clone = make(box / "default" / "project", box / "default" / "outside")
        (box / "default" / "tmp").mkdir()
        shutil.copyfile(ROOT / "params.yaml", clone.path("params.yaml"))
        super().__init__(Project(clone.folder), box)


def trials(reference: Tiny, count: int | None = None) -> Iterator[Trial]:
    return kills.trials(reference, count or 10, "kill-tiny")
