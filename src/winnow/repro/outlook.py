"""What of a run is done, at work and left, and when it may end. Light: it imports what tells times once a stage is at
work, so that a run with nothing to do does without."""

import contextlib
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from winnow.repro.books import CODE, Plan, Stage

if TYPE_CHECKING:
    from winnow.cost.estimate import Known

OWN = Path(".winnow")
FACTS = (Path("data/images/dataset.json"), Path(CODE), Path(".winnow/probe.json"))  # what times are told from


@dataclass
class Outlook:
    """Of one run. A stage that always runs, to see what has changed, does not count."""

    plan: Plan
    ended: set[Stage] = field(default_factory=set)  # that ran, or came from the cache
    took: dict[str, float] = field(default_factory=dict)  # seconds of cores, of those that ran
    began: dict[Stage, float] = field(default_factory=dict)
    _whole: set[Stage] = field(default_factory=set)  # begun from nothing, not from unfinished work
    _first: float | None = None
    _known: "Known | None" = None
    _facts: tuple[float, ...] = ()
    _again: set[str] = field(default_factory=set)

    def begins(self, stage: Stage) -> None:
        self.began[stage] = time.monotonic()
        if not stage.always_changed:
            self._first = self._first or self.began[stage]
            kept = any(out.persist and out.exists for out in stage.outs)
            if not kept and not any((OWN / stage.addressing).glob("*")):
                self._whole.add(stage)

    def comes_from_cache(self, stage: Stage) -> None:
        self.ended.add(stage)

    def ends(self, stage: Stage) -> None:
        """A stage has ended well: remember what it took."""
        seconds = time.monotonic() - self.began[stage]
        if stage.always_changed:
            return
        self.ended.add(stage)
        from winnow.repro.to_go import note

        with contextlib.suppress(OSError):  # a full disk: the stages say so
            known = self.known()
            one = note(stage, known, seconds, stage in self._whole)
            self.took[stage.addressing] = one.processor
            if stage in self._whole:
                self._known = replace(known, runs=[*known.runs, one])

    def known(self, again: Collection[str] = ()) -> "Known":
        """What times are told from, read again when it has changed. again: the stages that run, as far as is known."""
        self._again |= {*again}
        facts = (*(path.stat().st_mtime if path.exists() else 0.0 for path in FACTS), float(len(self._again)))
        if self._known is None or facts != self._facts:
            from winnow.repro.to_go import known_of

            self._known, self._facts = known_of(self.plan.steps, self._again), facts
        return self._known

    def left(self, waiting: Collection[Stage], due: Iterable[Stage], at_work: Iterable[Stage]) -> list[Stage]:
        """Of the stages that wait, those that will run: those that must, and those behind one that must, that is at
        work or that has run. For the others it is found out soon."""
        moved = {*due, *self.ended, *(stage for stage in at_work if not stage.always_changed)}
        found = []
        for stage in self.plan.steps:  # in an order in which inputs come first
            if stage in waiting and (stage in moved or moved.intersection(self.plan.needs[stage])):
                moved.add(stage)
                found.append(stage)
        return found

    def words(
        self, left: Collection[Stage], at_work: Mapping[Stage, Any], bars: Mapping[Stage, tuple[str, float]], room: int,
        cores: int,
    ) -> str:  # fmt: skip
        """Such as "12 done, 3 running, 20 left, about 4 min to go". bars: of stages at work, the label and the fraction
        done. room: stages at once. The time is left out where nothing is known of a stage."""
        from winnow.cost.durations import about
        from winnow.repro.to_go import Progress, State, seconds_to_go

        now = time.monotonic()
        running = {
            stage.addressing: Progress(now - self.began[stage], bars[stage][1], bars[stage][0])
            if stage in bars
            else Progress(now - self.began[stage])
            for stage in at_work
            if not stage.always_changed
        }
        needs = {stage.addressing: [one.addressing for one in above] for stage, above in self.plan.needs.items()}
        state = State([stage.addressing for stage in left], running, self.took, now - (self._first or now))
        again = {stage.addressing for stage in (*left, *at_work, *self.ended)}
        seconds = seconds_to_go(state, self.known(again), needs, cores, room)
        counts = f"{len(self.ended)} done, {len(at_work)} running, {len(left)} left"
        return counts if seconds is None else f"{counts}, about {about(seconds)} to go"
