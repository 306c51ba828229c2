"""Recipes: what differs from the default experiment, and the command that writes a whole params.yaml of it."""

import re
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from winnow import recipe
from winnow.cli.main import main
from winnow.experiment import Params, load_params
from winnow.params.base import Section, read_yaml

ROOT = Path(__file__).parents[1]
NAMES = sorted(path.stem for path in (ROOT / "src/winnow/recipes").glob("*.yaml"))
UserErrors = Callable[..., AbstractContextManager[None]]

COMMIT = "-c user.name=a -c user.email=a@b commit --quiet --message params"


def git(command: str) -> None:
    subprocess.run(["git", *command.split()], check=True)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, its params.yaml in the last commit; each test runs in it."""
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("committed: 1\n")
    for command in ("init --quiet", "add params.yaml", COMMIT):
        git(command)
    return tmp_path


def overlay(text: str) -> dict[str, Any]:
    """The values of a recipe of this text, written out."""
    Path("recipes").mkdir(exist_ok=True)
    Path("recipes/mine.yaml").write_text(text)
    return YAML(typ="safe").load(recipe.expanded("mine"))


def test_the_default_is_the_params_file_of_the_repository_to_the_byte() -> None:
    # as it lies there or in the last commit: a user's own params.yaml is no mistake
    committed = subprocess.run(["git", "show", "HEAD:params.yaml"], cwd=ROOT, capture_output=True, check=False).stdout
    assert recipe.expanded("default").encode() in (committed, (ROOT / "params.yaml").read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_becomes_params_that_are_right_and_leave_no_key_out(name: str) -> None:
    def missing(model: type[Section], values: dict[str, Any], prefix: str = "") -> list[str]:
        found = [f"{prefix}{key}" for key in model.model_fields if key not in values and key != "weights"]
        for key, field in model.model_fields.items():
            inner = field.annotation
            if isinstance(inner, type) and issubclass(inner, Section) and isinstance(values.get(key), dict):
                found += missing(inner, values[key], f"{prefix}{key}.")
        return found

    recipe.write(name)
    load_params("params.yaml")
    values = read_yaml("params.yaml")
    assert missing(Params, values) == []
    for kind in ("network", "training"):
        model = Params.model_fields[f"{kind}s"].annotation.__args__[1]
        assert [missing(model, item, name) for name, item in values[f"{kind}s"].items() if missing(model, item)] == []
        users = [values[section] for section in ("early", "retrain", "dense")] + [
            *values["transfer"]["sources"].values()
        ]
        users += [values["target"]] if values["target"]["sets"] and kind == "training" else []
        assert {user[kind] for user in users} == set(values[f"{kind}s"])
    assert all(list(level)[:3] == ["parent", "rewind", "data"] for level in values["pruning"]["levels"].values())


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_short(name: str) -> None:
    text = (ROOT / "src/winnow/recipes" / f"{name}.yaml").read_text()
    methods = r"    \w+: \{parent: .*\}" if name.startswith("pruning-") else r".*: \{\}"  # a line for each is no length
    lines = [line for line in text.splitlines() if not re.fullmatch(methods, line)]
    assert (1 if "\nextends: " in text else 10) <= len(lines) <= 70


def test_what_a_recipe_does_not_say_is_as_in_the_default() -> None:
    default = YAML(typ="safe").load(recipe.expanded("default"))
    values = overlay("select: {keep: [0.1, 0.5]}\nlabels: {noise: 0.5}\nsweep: {methods: []}\n")
    assert values == {
        **default,
        "select": {**default["select"], "keep": [0.1, 0.5]},
        "labels": {**default["labels"], "noise": 0.5},
        "sweep": {**default["sweep"], "methods": []},
        "transfer": {"sources": {}},
    }


def test_maps_of_the_users_items_are_as_the_recipe_has_them() -> None:
    values = overlay(
        """
early: {cohorts: {z: [7]}}
select: {methods: {random: {}, hard: {method: ranked, score: el2n}}}
pruning: {rewinds: {}, levels: {}}
connectivity: {matrix: []}
perturbation: {runs: {}}
curvature: {levels: []}
"""
    )
    assert values["early"]["cohorts"] == {"z": [7]}
    assert values["select"]["methods"] == {"random": {}, "hard": {"method": "ranked", "score": "el2n"}}
    assert (values["pruning"]["rewinds"], values["pruning"]["levels"], values["perturbation"]["runs"]) == ({}, {}, {})


def test_a_recipe_may_say_how_it_differs_from_another(user_error: UserErrors) -> None:
    Path("recipes").mkdir()
    Path("recipes/base.yaml").write_text(
        "# base\nlabels: {noise: 0.5}\nearly: {epochs: [0, 4], cohorts: {a: [7], b: [8]}}\n"
    )
    Path("recipes/middle.yaml").write_text("# middle\nextends: base\nearly: {cohorts: {z: [9]}}\n")
    values = overlay("# mine\nextends: middle\nlabels: {noise: 0.25, seed: 3}\n")
    assert (values["labels"]["noise"], values["labels"]["seed"]) == (0.25, 3)
    assert (values["early"]["epochs"], values["early"]["cohorts"]) == ([0, 4], {"z": [9]})
    assert "extends" not in values
    assert recipe.expanded("mine").startswith("# mine\n\ndownload:")

    with user_error('mine.yaml: extends: must be the name of a recipe, not "bse"'):
        overlay("extends: bse")
    Path("recipes/base.yaml").write_text("extends: mine")
    with user_error("base.yaml: extends: mine extends this recipe in turn"):
        overlay("extends: middle")


def test_a_network_or_training_says_what_differs_from_the_defaults_own() -> None:
    default = YAML(typ="safe").load(recipe.expanded("default"))
    used = "{network: large, training: %s}"
    values = overlay(
        f"""
networks: {{large: {{width: 99}}}}
trainings:
  short: {{decay: 0.5}}
  other: {{augment: {{flip: true}}}}
early: {used % "short"}
retrain: {used % "short"}
dense: {used % "other"}
"""
    )
    network, training = default["networks"]["small"], default["trainings"]["short"]
    assert values["networks"] == {"large": {**network, "width": 99}}
    assert values["trainings"] == {
        "short": {**training, "decay": 0.5},
        "other": {**training, "augment": {**training["augment"], "flip": True}},
    }


def test_a_recipe_has_only_the_sweep_and_the_sources_that_it_names() -> None:
    assert read_yaml(recipe.DEFAULT)["transfer"]["sources"]
    values = overlay("select: {epoch: 8}")
    assert (values["sweep"], values["transfer"]) == ({"methods": [], "keep": []}, {"sources": {}})
    values = overlay(
        """
transfer: {sources: {mine: {seeds: [99], network: lenet, training: short}}}
sweep: {methods: [el2n-frommine, random], keep: [0.3]}
select: {keep: [0.1, 0.5], methods: [el2n, random]}
"""
    )
    assert values["transfer"] == {"sources": {"mine": {"seeds": [99], "network": "lenet", "training": "short"}}}
    assert values["sweep"] == {"methods": ["el2n-frommine", "random"], "keep": [0.3]}


def test_a_level_says_what_differs_from_its_parent_and_a_perturbed_run_from_its_level() -> None:
    values = overlay(
        """
pruning:
  rewinds: {tenth: {data: select/random-0.1, length: 2 epochs}}
  levels:
    l1: {parent: dense, variant: imp, prune: 0.4}
    l2: {parent: l1}
    l3: {parent: l2, prune: 0.6}
    r3: {parent: l3, variant: random}
    t0: {parent: dense, rewind: tenth, data: select/random-0.1, variant: dense}
    t1: {parent: t0, variant: adaptive, max_error_rise: 0.1}
    t2: {parent: t1, data: full}
    s1: {parent: none, criterion: snip, batches: 2, prune: 0.9}
    s2: {parent: s1, prune: 0.5}
    la: {parent: l1, allocation: lamp, prune: 0.4}
connectivity: {matrix: []}
perturbation: {runs: {d: {level: dense, child: l1}, t: {level: t1, child: t2}}}
curvature: {levels: []}
"""
    )
    full = {"rewind": "dense", "data": "full"}
    tenth = {"rewind": "tenth", "data": "select/random-0.1"}
    assert values["pruning"]["levels"] == {
        "l1": {"parent": "dense", **full, "variant": "imp", "prune": 0.4},
        "l2": {"parent": "l1", **full, "variant": "imp", "prune": 0.4},
        "l3": {"parent": "l2", **full, "variant": "imp", "prune": 0.6},
        "r3": {"parent": "l3", **full, "variant": "random"},
        "t0": {"parent": "dense", **tenth, "variant": "dense"},
        "t1": {"parent": "t0", **tenth, "variant": "adaptive", "max_error_rise": 0.1},
        "t2": {"parent": "t1", "rewind": "tenth", "data": "full", "variant": "adaptive", "max_error_rise": 0.1},
        "s1": {"parent": "none", **full, "criterion": "snip", "batches": 2, "prune": 0.9},
        "s2": {"parent": "s1", **full, "criterion": "snip", "batches": 2, "prune": 0.5},
        "la": {"parent": "l1", **full, "allocation": "lamp", "prune": 0.4},
    }
    assert values["perturbation"]["runs"] == {
        "d": {"level": "dense", **full, "child": "l1"},
        "t": {"level": "t1", **tenth, "child": "t2"},
    }


def test_comments_stay_but_for_the_first_ones_which_are_the_recipes() -> None:
    overlay("# Mine.\n# Mine too.\n\nearly:\n  epochs: [0, 1, 2, 4, 8, 9] # not this\nlabels:\n  noise: 0.25\n")
    # up to the sections that a recipe does not inherit
    lines, default = (recipe.expanded(name).partition("\ntransfer:")[0].splitlines() for name in ("mine", "default"))
    assert lines[:3] == ["# Mine.", "# Mine too.", ""]
    [noise, epochs] = [(old, new) for old, new in zip(default[2:], lines[2:], strict=True) if old != new]
    assert noise[0].startswith("  noise: 0.0   ")
    assert noise[1] == noise[0].replace("0.0 ", "0.25")
    assert epochs[1] == epochs[0].replace("[0, 1, 2, 4, 8]  ", "[0, 1, 2, 4, 8, 9]")
    assert "# scored" in epochs[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("labels: {noyse: 1}", "labels.noyse: no such key; did you mean noise?"),
        ("select: {keep: 3}", "select.keep: must be a list"),
        (
            "pruning: {levels: {l1: {parent: l0}}}",
            'pruning.levels.l1.parent: must be one of dense, none, not "l0"',
        ),
        (
            "pruning: {levels: {l1: {variant: imp}}}",
            "pruning.levels.l1.parent: must be one of dense, none, not null",
        ),
        ("pruning: {levels: {l1: 3}}", "pruning.levels.l1"),
        ("pruning: 3", "pruning: must be a section"),
        ("trainings: {short: 3}", "trainings.short: must be a section"),
        ("trainings: {long: {}}", "early.training: must be one of trainings, which are long"),
        ("perturbation: {runs: {p: {level: l9, child: l1}}}", "perturbation.runs.p.level: l9 is no level"),
        ("perturbation: {runs: {p: 3}}", "perturbation.runs.p"),
        ("early: {network: {name: resnet8}}", "early.network: must be a name now"),
        ("labels: {noise: 0.1", " line 2: not YAML"),
    ],
)
def test_a_mistake_in_a_recipe_is_told_in_one_line_and_writes_nothing(
    text: str, message: str, user_error: UserErrors
) -> None:
    with user_error("recipes/mine.yaml", message):
        overlay(text)
    assert Path("params.yaml").read_text() == "committed: 1\n"


def test_the_command_shows_the_difference(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe", "default"]) == 0
    capsys.readouterr()
    assert main(["recipe", "digits-full"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert "-  keep: [0.1, 0.3, 0.5]            # fractions, or counts of images" in printed
    assert "+  keep: [0.1, 0.3, 0.5, 0.7]       # fractions, or counts of images" in printed
    assert printed[-1] == "params.yaml is the recipe digits-full now"
    assert main(["recipe", "digits-full"]) == 0
    assert capsys.readouterr().out == "params.yaml is the recipe digits-full already\n"


def test_the_command_lists_the_recipes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["default", *NAMES]
    assert (
        "  The protocol of Data Diet on a fifth of CIFAR-10, with a small network: about an hour on two cores." in lines
    )


def test_edits_are_not_lost_unless_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    recipe.write("default")  # over what the last commit has
    recipe.write("digits-full")  # over a recipe
    edited = Path("params.yaml").read_text().replace("noise: 0.0", "noise: 0.3")
    Path("params.yaml").write_text(edited)
    capsys.readouterr()
    assert main(["recipe", "default"]) == 1
    assert capsys.readouterr().err == (
        "error: params.yaml has changes that are in no commit: commit them, or overwrite them with --force\n"
    )
    assert Path("params.yaml").read_text() == edited
    git("add params.yaml")
    assert main(["recipe", "default"]) == 1  # a commit is what keeps them
    assert main(["recipe", "default", "--force"]) == 0
    assert Path("params.yaml").read_text() == recipe.expanded("default")
    assert "-  noise: 0.3" in capsys.readouterr().out


def test_without_git_or_a_commit_edits_are_not_lost_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user_error: UserErrors
) -> None:
    git("rm --quiet --cached params.yaml")
    git(COMMIT)
    for path in (None, str(tmp_path)):
        if path:
            monkeypatch.setenv("PATH", path)
        with user_error("params.yaml has changes that are in no commit"):
            recipe.write("default")
    Path("params.yaml").unlink()
    recipe.write("default")
    assert Path("params.yaml").read_text() == recipe.expanded("default")


def test_an_unknown_recipe_is_told_with_those_that_are_close(user_error: UserErrors) -> None:
    with user_error("cifar10-laptp: no such recipe; there are cifar10-laptop"):
        recipe.write("cifar10-laptp")
    with user_error("zzz: no such recipe; there are default, cifar10, cifar10-human-labels"):
        recipe.write("zzz")


def test_a_recipe_of_the_project_is_listed_and_written_and_hides_ours(capsys: pytest.CaptureFixture[str]) -> None:
    assert overlay("# Mine.\nfigures: {dpi: 99}")["figures"]["dpi"] == 99
    Path("recipes/digits-full.yaml").write_text("# Shorter.\nfigures: {dpi: 98}")
    assert main(["recipe"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["default", *sorted([*NAMES, "mine"])]
    assert "  Mine." in lines
    recipe.write("digits-full")
    assert read_yaml("params.yaml")["figures"]["dpi"] == 98
