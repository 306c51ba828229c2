"""Runs the stages with ready inputs side by side, first those with the longest chain of stages after them."""

import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from winnow import cores as shared_cores
from winnow.progress import FILE as PROGRESS
from winnow.repro import books, cluster
from winnow.repro.books import Stage
from winnow.repro.display import Display
from winnow.repro.launch import Command, Launcher, Running
from winnow.repro.mend import keep_copy, mend
from winnow.repro.outlook import Outlook

POLL_SECONDS = 0.02
NOTE_SECONDS = (
    15  # at most, until an ended stage is in dvc.lock; if this process is killed before, the run cache has the stage
)
LOGS = Path(".winnow/logs")  # what every stage printed when it last ran


@dataclass(frozen=True)
class Job:
    """A stage at work."""

    running: Running
    locks: ExitStack
    log: Path
    progress: Path


def repro(targets: Sequence[str], jobs: int | None, cores: int) -> int:
    """Bring the targets, or all stages, up to date, with at most ``jobs`` stages at once. Returns the exit status.

    If a stage fails, the stages that depend on it do not run; the others go on. Running stages share ``cores`` cores,
    or a cluster (``winnow.repro.cluster``). Without ``jobs``, there is one stage more at once than there are cores:
    else a core is idle while DVC keeps what a stage wrote.
    """
    with books.translated(), books.opened() as repo, _scratch() as temporary:
        with books.locked(repo):
            for line in [*mend(), *books.unverified(repo)]:
                print(line, flush=True)
            plan = books.plan(repo, targets)
            before = books.names_in_lock(repo)
        shared = temporary / "cores"
        shared.mkdir()
        for number in range(cores):
            (shared / f"{number:04d}").touch()
        with (
            Display(len(plan.steps)) as display,
            _launcher(temporary, display, cores) as (launcher, most),
            signals_noted() as interrupted,  # after Ray has begun, which would handle them too
        ):
            room = partial(_room, most, jobs)
            status = _Run(repo, plan, launcher, room, cores, temporary, display, interrupted).go()
        if not interrupted:
            with books.locked(repo):
                books.order_lock(repo, before, plan.steps)
                keep_copy()
                if not status:
                    books.forget_names(repo)
        return status


def _room(most: Callable[[], int], jobs: int | None) -> int:
    """How many stages there may be at once; none where there is no node."""
    return most() if jobs is None or not most() else jobs


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder for the files by which this run and its stages talk. Not in /tmp, which systems tidy while a run goes on
    for days; winnow clean knows the name, should the run be killed."""
    LOGS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".run.unfinished.", dir=LOGS.parent.absolute()) as folder:
        yield Path(folder)


@contextmanager
def _launcher(
    temporary: Path, display: Display, cores: int
) -> Iterator[tuple[Launcher | cluster.Cluster, Callable[[], int]]]:
    """What starts stages, and how many there may be at once."""
    where = cluster.address()
    if where is None:
        yield Launcher(), lambda: cores + 1
        return
    with cluster.joined(where, temporary, display.say) as joined:
        yield joined, joined.room


@contextmanager
def signals_noted() -> Iterator[list[int]]:
    """A list that collects Ctrl-C and similar signals. Handled at once, they would interrupt DVC while it writes its
    books."""
    noted: list[int] = []
    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {name: signal.signal(name, lambda number, _: noted.append(number)) for name in names}
    try:
        yield noted
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


class _Run:
    """The state of a run: which stages wait, are at work, are done or have failed."""

    def __init__(
        self,
        repo: books.Repo,
        plan: books.Plan,
        launcher: Launcher | cluster.Cluster,
        jobs: Callable[[], int],
        cores: int,
        temporary: Path,
        display: Display,
        interrupted: list[int],
    ) -> None:
        self.interrupted = interrupted
        self.repo, self.needs, self.jobs, self.temporary, self.display = repo, plan.needs, jobs, temporary, display
        self.launcher, self.cores = launcher, cores
        self.waiting = sorted(plan.steps, key=_ways_ahead(*plan).__getitem__, reverse=True)
        self.done: set[Stage] = set()
        self.failed: dict[Stage, str] = {}
        self.at_work: dict[Stage, Job] = {}
        self.kept: list[Stage] = []  # their outputs are in the cache, but not yet in dvc.lock
        self.noted = time.monotonic()
        self.ran = 0
        self.due: set[Stage] = set()  # of those that wait: they must run, or come from the run cache
        self.outlook = Outlook(plan)

    def go(self) -> int:
        try:
            while (self.waiting or self.at_work) and not self.interrupted:
                ended = [stage for stage, job in self.at_work.items() if job.running.ended() is not None]
                if ended or self._ready() or self._unknown():
                    with books.locked(self.repo):
                        for stage in ended:
                            self._end(stage)
                        for stage in self._ready():
                            self._begin(stage)
                        for stage in self._unknown()[:1]:  # one by one: others may end meanwhile
                            self._look_at(stage)
                        if time.monotonic() - self.noted > NOTE_SECONDS:  # when others are at work already
                            self._note()
                elif not self.at_work and not self._possible():
                    break  # all waiting stages depend on failed ones
                self._show()
                time.sleep(POLL_SECONDS)
        finally:
            self._stop()
        return self._conclude()

    def _show(self) -> None:
        """Show how far the stages at work are, and, now and then, what is left of the run."""
        bars = {}
        for stage, job in self.at_work.items():
            bar = self.display.progress(stage.addressing, job.progress)
            if bar is not None:
                bars[stage] = bar
        if self.display.wants_status() and any(not stage.always_changed for stage in self.at_work):
            begun = time.monotonic()
            left = self.outlook.left(self.waiting, self.due, self.at_work)
            cores = self.cores if isinstance(self.launcher, Launcher) else self.jobs()  # of a cluster, to within a few
            text = self.outlook.words(left, self.at_work, bars, self.jobs(), cores)
            self.display.status(text, time.monotonic() - begun)

    def _ready(self) -> list[Stage]:
        """The stages that can begin now, as many as there are free jobs."""
        return self._possible()[: max(self.jobs() - len(self.at_work), 0)]

    def _possible(self) -> list[Stage]:
        return [stage for stage in self.waiting if self.done.issuperset(self.needs[stage])]

    def _unknown(self) -> list[Stage]:
        """The stages that could begin, if a job were free, and of which it is not known yet whether they must."""
        return [stage for stage in self._possible() if stage not in self.due and books.has_command(stage)]

    def _begin(self, stage: Stage) -> None:
        self.waiting.remove(stage)
        with self._failing(stage):
            if not books.has_command(stage):
                self.ran += books.verify(stage)
                self._finished(stage)
            elif stage in self.due or self._is_due(stage):
                self._run(stage)

    def _look_at(self, stage: Stage) -> None:
        """Find out whether a stage must run, before there is a free job for it."""
        with self._failing(stage):
            if self._is_due(stage):
                self.due.add(stage)
                return
        self.waiting.remove(stage)

    @contextmanager
    def _failing(self, stage: Stage) -> Iterator[None]:
        try:
            yield
        except books.UserError as error:
            self.failed[stage] = str(error)
            self.display.ends(stage.addressing, f"failed: {error}")

    def _is_due(self, stage: Stage) -> bool:
        """Whether a stage must run, or come from the run cache. If not, it is done."""
        if not books.changed(stage):
            self._finished(stage)
            return False
        if books.lacks_only_cache(stage):
            books.keep(stage)
            self._finished(stage)
            return False
        return True

    def _run(self, stage: Stage) -> None:
        name = stage.addressing
        self.ran += 1
        locks = books.claim(stage)
        try:
            if books.begin(stage):
                books.keep(stage)
                self.kept.append(stage)
                locks.close()
                self.done.add(stage)
                self.outlook.comes_from_cache(stage)
                self.display.ends(name, "came from the cache")
                return
            log, progress = LOGS / f"{name}.log", self.temporary / f"{name}.progress"
            own = {shared_cores.FOLDER: str(self.temporary / "cores"), PROGRESS: str(progress)}
            environment = {**books.environment(stage), **own}
            freight, computes = partial(books.freight, stage), books.computes(stage)
            running = self.launcher.start(Command(stage.cmd, log, environment, freight=freight, computes=computes))
        except BaseException:
            locks.close()
            raise
        self.display.starts(name)
        self.outlook.begins(stage)
        self.at_work[stage] = Job(running, locks, log, progress)

    def _finished(self, stage: Stage) -> None:
        self.done.add(stage)
        self.display.unchanged()

    def _end(self, stage: Stage) -> None:
        job, name = self.at_work.pop(stage), stage.addressing
        printed = job.log.read_text(encoding="utf-8", errors="replace")
        status = job.running.ended()
        try:
            if status == 0:
                books.keep(stage)
                self.kept.append(stage)
                self.done.add(stage)
                self.display.ends(name, "ran", printed)
                self.outlook.ends(stage)
                return
            self.failed[stage] = _why(status)
        except books.UserError as error:
            self.failed[stage] = str(error)
        finally:
            job.locks.close()
        self.display.ends(name, f"failed ({self.failed[stage]})", printed)

    def _note(self) -> None:
        """Enter in dvc.lock the stages that ended since the last call."""
        if self.kept:
            books.note(self.kept)
            keep_copy()
            self.kept.clear()
        self.noted = time.monotonic()

    def _stop(self) -> None:
        """Stop the stages that still run (if this process is stopped), release their locks, and bring dvc.lock up to
        date."""
        for job in self.at_work.values():
            job.running.stop()
        with books.locked(self.repo):
            for job in self.at_work.values():
                job.locks.close()
            self._note()
            books.show_damage()

    def _conclude(self) -> int:
        if self.interrupted:
            self.display.say("interrupted; make repro goes on from here")
            return 128 + self.interrupted[0]
        if self.failed:
            names = ", ".join(stage.addressing for stage in self.failed)
            left = f"; {len(self.waiting)} that depend on it did not run" if self.waiting else ""
            self.display.say(f"failed: {names}{left}")
            return 1
        if not self.ran:
            self.display.say("Data and pipelines are up to date.")
        return 0


def _ways_ahead(steps: list[Stage], needs: dict[Stage, list[Stage]]) -> dict[Stage, int]:
    """The length, in stages, of the longest chain from each stage to the end."""
    length = dict.fromkeys(steps, 1)
    for stage in reversed(steps):
        for above in needs[stage]:
            length[above] = max(length[above], length[stage] + 1)
    return length


def _why(status: int | None) -> str:
    if status is not None and status < 0:
        return f"ended by {signal.Signals(-status).name}, perhaps out of memory"
    return f"exit status {status}"
