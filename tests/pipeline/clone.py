"""A scratch clone of the project, in which the tests run the real pipeline on a tiny experiment."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import dump_yaml, load_yaml
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
RESULTS = re.compile(r"dvc\.lock|metrics/.*|plots/.*")  # in git, but made by the pipeline

TINY = """
download:
  source: digits
  path: null
  size: null
  first: 300
  first_test: 100
  validation: 0.1
  seed: 0
labels:
  file: null
  column: label
  right: file
  noise: 0.0
  seed: 0
  trusted: null
networks:
  small: {name: convnet, width: 4}
  lenet: {name: lenet_300_100}
trainings:
  six: {length: 6 epochs, batch_size: 32}
  four: {length: 4 epochs, batch_size: 32}
  short: {length: 6 epochs, batch_size: 30}
early:
  cohorts:
    a: [0, 1]
    b: [2]
  network: small
  training: six
  epochs: [0, 2, 6]
  features: [6]
score:
  scores: [el2n, random]
  gradients: [grand]
aggregate:
  suspects: 10
  suspects_epoch: null
  splits: 2
  seed: 0
ntk:
  score: el2n
  epochs: [0, 2]
  groups: 2
  images: 3
transfer:
  sources:
    other: {seeds: [300], network: lenet, training: short}
second_split:
  cohorts: {}
pretrain:
  cohorts: {}
compression:
  levels: []
target:
  sets: {}
  cohort: b
  training: short
select:
  methods: [el2n, random]
  keep: [0.5]
  epoch: 6
  seed: 0
sweep:
  methods: [el2n-seeds1]
  keep: [0.5]
retrain:
  seeds: [100, 101]
  network: small
  training: four
  budget: steps
  visits: {}
  recipes: {}
dense:
  seeds: [200, 201]
  network: small
  training: four
  rewind: 1 epoch
  eval_images: 100
  measure: 5 steps
pruning:
  rewinds:
    early: {data: select/random-0.5, length: 3 steps}
  levels:
    l1: {parent: dense, rewind: dense, data: full, variant: imp, prune: 0.4}
    l2: {parent: l1, rewind: dense, data: full, variant: imp, prune: 0.4}
    o2: {parent: dense, rewind: early, data: select/random-0.5, variant: one_shot, prune: 0.64}
  floor: 1
connectivity:
  points: 3
  images: 60
  batch_norm: recalibrated
  matrix: [dense, l1, l2]
  subsets: {score: el2n, epoch: null, images: 40}
spawn:
  at: [3 steps]
perturbation:
  runs:
    p: {level: dense, rewind: dense, data: full, child: l1}
  scales: [1.0]
curvature:
  levels: [l1]
  images: 40
  eigenvalues: 2
  probes: 1
  lanczos_steps: 4
  loss_rise: 0.05
  seed: 0
figures:
  dpi: 60
  font_size: 9
  per_class: 5
  suspects: 30
"""


@dataclass(frozen=True)
class Clone:
    """A copy of the project below ``folder``; what its commands keep outside of it goes to ``outside``."""

    folder: Path
    outside: Path

    def environment(self, **changes: str) -> dict[str, str]:
        """This process's environment, but with the clone's code, and with no settings of the user or of other tests."""
        # without bytecode files every stage would spend seconds compiling torch's sources
        dropped = ("DVC_", "GIT_", "WINNOW_", "PYTHONDONTWRITEBYTECODE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        return {
            **kept,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "src"),
            "OMP_NUM_THREADS": "1",
            "WINNOW_DEVICE": "cpu",
            "WINNOW_WORKERS": "2",
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(self.outside / "site"),
            "DVC_GLOBAL_CONFIG_DIR": str(self.outside / "global"),
            "DVC_SYSTEM_CONFIG_DIR": str(self.outside / "system"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            **{f"GIT_{who}_{what}": "test@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
            **changes,
        }

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the clone's folder, whether it goes well or not; stderr comes with stdout."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def do(self, *command: str, **environment: str) -> str:
        """Run a command that must go well; gives what it printed."""
        done = self.run(*command, **environment)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
        return done.stdout

    def repro(self, *arguments: str, **environment: str) -> list[str]:
        """Run ``dvc repro``; gives the stages that it really ran, as ``ran`` does."""
        return ran(self.do("dvc", "repro", *arguments, **environment))

    def make(self, *arguments: str, **environment: str) -> list[str]:
        """Run what ``make repro`` runs, several stages at once; gives the stages that it really ran."""
        return made(self.do("python", "-m", "winnow.repro", *arguments, **environment))

    def stage(self, name: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one stage's script as DVC would, without DVC's own seconds."""
        return self.run(*command(name), DVC_STAGE=name, **environment)

    def copy(self, folder: Path) -> "Clone":
        shutil.copytree(self.folder, folder, symlinks=True)
        return Clone(folder, self.outside)

    def commit(self) -> None:
        self.do("git", "add", "--all")
        self.do("git", "commit", "--quiet", "--message", "test")

    def path(self, name: str) -> Path:
        return self.folder / name

    def set(self, key: str, value: Any) -> None:
        """Change one value of params.yaml, such as figures.dpi."""
        values = read_yaml(self.path("params.yaml"))
        section = values
        *above, last = key.split(".")
        for part in above:
            section = section[part]
        section[last] = value
        write_yaml(self.path("params.yaml"), values)

    def forget(self, outs: Mapping[str, str]) -> None:
        """Remove stages from dvc.lock and its copy, their outputs (one each, by the stage) and all of the run cache."""
        path = self.path("dvc.lock")
        lock = load_yaml(path)
        for stage, out in outs.items():
            del lock["stages"][stage]
            self.do("rm", "-r", out)
        dump_yaml(str(path), lock)  # in the order and the format of DVC's own
        shutil.copyfile(path, self.path(".winnow/dvc.lock"))
        self.do("rm", "-r", ".dvc/cache/runs")

    def recode(self, module: str) -> None:
        """Change a file of code, but not what it does."""
        with self.path(module).open("a") as file:
            file.write("_unused = 0\n")

    def files(self, *below: str) -> dict[str, bytes]:
        """Every file below these folders (or the files themselves), by its path in the clone."""
        roots = [self.path(name) for name in below]
        paths = [path for root in roots for path in ([root] if root.is_file() else sorted(root.rglob("*")))]
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths if path.is_file()}


def make(folder: Path, outside: Path) -> Clone:
    """The project's files as they lie in the working tree, without results, as a git repository of its own."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).exists() and not RESULTS.fullmatch(name):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    clone = Clone(folder, outside)
    write_yaml(clone.path("params.yaml"), YAML(typ="safe").load(TINY))
    clone.do("git", "init", "--quiet")
    clone.commit()
    return clone


def ran(printed: str) -> list[str]:
    """The stages that ``dvc repro`` ran, by what it printed, but for check, which always runs."""
    return [stage for stage in re.findall(r"^Running stage '(.+)':$", printed, re.MULTILINE) if stage != "check"]


def made(printed: str) -> list[str]:
    """The stages that ``make repro`` ran, by what it printed, sorted, but for check, which always runs."""
    return sorted(stage for stage in re.findall(r"^(\S+) ran in ", printed, re.MULTILINE) if stage != "check")


def command(stage: str) -> list[str]:
    """The command of a stage such as retrain@el2n-0.5, as dvc.yaml has it."""
    group, _, items = stage.partition("@")
    entry = read_yaml(ROOT / "dvc.yaml")["stages"][group]
    names = entry.get("matrix", {})
    parts = items.split("-", maxsplit=1) if len(names) == 2 else [items]
    if list(names) == ["target", "method", "keep"]:
        target, _, rest = items.partition("-")
        parts = [target, *rest.rsplit("-", maxsplit=1)]
    if list(names)[:2] == ["method", "keep"]:  # the methods' names hold dashes
        parts = items.rsplit("-", maxsplit=len(names) - 1)
    text = entry.get("do", entry)["cmd"].removeprefix("exec ").replace("${key}", items).replace("${item}", items)
    for name, part in zip(names, parts, strict=False):
        text = text.replace(f"${{item.{name}}}", part)
    return text.split()


def in_this_process(clone: Clone, stage: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A stage's work as a function: a process of its own would import torch anew. It raises what the stage raises."""
    _, _, _, script, *items = command(stage)
    monkeypatch.chdir(clone.folder)
    monkeypatch.setenv("DVC_STAGE", stage)
    monkeypatch.setenv("WINNOW_DEVICE", "cpu")
    monkeypatch.setenv("WINNOW_WORKERS", "1")
    monkeypatch.setattr(sys, "argv", [script, *items])
    monkeypatch.setattr("winnow.stages._stage._held", [])  # the locks, which a process would take with it
    monkeypatch.delitem(sys.modules, script, raising=False)  # as in a process of its own
    main: list[Callable[..., None]] = []
    monkeypatch.setattr("winnow.stages._stage.main", main.append)
    runpy.run_module(script, run_name="__main__")
    return lambda: main[0](*items)


def read_yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def write_yaml(path: Path, values: Any) -> None:
    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    yaml.dump(values, path)
