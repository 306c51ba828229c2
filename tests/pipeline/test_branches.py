"""Branches of git with different params: what DVC shows of them, and what a merge makes of their results."""

import json
from pathlib import Path

import pytest
from clone import Clone, ran, read_yaml

pytestmark = pytest.mark.pipeline

RESULTS = ("dvc.lock", "metrics", "plots")


@pytest.fixture
def main(clone: Clone, tmp_path: Path) -> Clone:
    """A finished clone with a remote, on the branch main."""
    clone.do("git", "branch", "--move", "main")
    clone.do("dvc", "remote", "add", "--default", "team", str(tmp_path / "remote"))
    clone.commit()
    return clone


def branch(clone: Clone, name: str, key: str, value: object, *targets: str) -> list[str]:
    """Begin a branch at main, change a parameter, run these stages, commit. Gives the stages that ran."""
    clone.do("git", "switch", "--quiet", "--create", name, "main")
    clone.do("dvc", "checkout", "--quiet")
    clone.set(key, value)
    stages = clone.make(*targets)
    clone.commit()
    return stages


def fits(printed: str) -> list[list[str]]:
    """The words of every line, if nothing was left out to fit 120 columns."""
    assert "…" not in printed
    assert max(len(line.rstrip()) for line in printed.splitlines()) <= 120
    return [line.split() for line in printed.splitlines()]


def test_one_screen_shows_how_two_branches_differ(main: Clone) -> None:
    assert set(branch(main, "longer", "retrain.seeds", [101, 102, 103], "claims")) >= {"retrain_full", "claims"}
    main.do("git", "switch", "--quiet", "--create", "other", "main")
    main.do("dvc", "checkout", "--quiet")
    main.set("figures.dpi", 70)
    main.commit()

    params = fits(main.do("dvc", "params", "diff", "other", "longer", COLUMNS="120"))
    assert ["params.yaml", "figures.dpi", "70", "60"] in params
    assert ["params.yaml", "retrain.seeds", "[100,", "101]", "[101,", "102,", "103]"] in params
    assert len(params) == 3
    before, after = (
        json.loads(main.do("git", "show", f"{name}:metrics/summary.json")) for name in ("other", "longer")
    )
    changed = {key for key in after if after[key] != before[key]}
    assert changed
    numbers = fits(main.do("dvc", "metrics", "diff", "other", "longer", COLUMNS="120"))
    assert {line[1] for line in numbers[1:]} == changed
    printed = main.do("dvc", "plots", "diff", "other", "longer")
    assert "failed" not in printed
    assert '"rev": "longer"' in main.path("dvc_plots/index.html").read_text()
    table = fits(main.do("python", "-m", "winnow.repro.experiments", "--rev", "other", "--rev", "longer", COLUMNS="120"))
    assert {"other", "longer", "full", "retrain.seeds"} <= {word for line in table for word in line}

    page = Path(main.do("winnow", "report", "longer").splitlines()[-1].removeprefix("file://"))
    assert page.name == "compare-longer.html"
    text = page.read_text()
    assert "[101, 102, 103]" in text
    assert "retrain.seeds" in text


def test_the_conflict_of_two_clones_is_resolved_by_one_command_that_trains_only_what_neither_had(
    main: Clone, tmp_path: Path
) -> None:
    main.do("git", "clone", "--quiet", "--origin", "team", ".", str(tmp_path / "colleague"))
    colleague = Clone(tmp_path / "colleague", main.outside)
    assert "retrain@random-0.3" in branch(main, "keep", "select.keep", [0.5, 0.3], "claims")
    main.do("dvc", "push", "--run-cache")
    colleague.do("dvc", "config", "--local", "cache.dir", str(main.path(".dvc/cache")))
    colleague.do("dvc", "checkout", "--quiet")
    colleague.do("dvc", "config", "--local", "--unset", "cache.dir")
    methods = branch(colleague, "method", "select.methods", ["el2n", "random", "grand"], "claims")
    assert {name for name in methods if name.startswith("retrain")} == {"retrain@grand-0.5"}

    own = colleague.path("dvc.lock").read_bytes()
    colleague.do("git", "fetch", "--quiet", "team")
    merged = colleague.run("git", "merge", "team/keep")
    assert "CONFLICT (content): Merge conflict in dvc.lock" in merged.stdout
    assert "<<<<<<<" not in "".join(
        path.read_text() for name in RESULTS for path in [colleague.path(name), *colleague.path(name).rglob("*.*")]
        if path.is_file() and path.suffix != ".png"
    )  # fmt: skip
    assert colleague.path("dvc.lock").read_bytes() == own
    assert "is cached" in (printed := colleague.do("dvc", "repro", "--pull", "claims"))
    assert {name for name in ran(printed) if name.startswith("retrain")} == {"retrain@grand-0.3"}
    assert set(ran(printed)) == {"select", "retrain@grand-0.3", "compare", "claims"}
    colleague.do("git", "add", *RESULTS)
    colleague.do("git", "commit", "--quiet", "--no-edit")
    assert colleague.do("git", "status", "--porcelain") == ""
    assert colleague.repro("claims") == []


def test_a_merge_never_makes_an_entry_of_dvc_lock_that_nobody_computed(main: Clone) -> None:
    """One branch changes the code of select, the other its params. Lines of both would say that the new code gave these
    outputs with the new params."""
    main.do("git", "switch", "--quiet", "--create", "code")
    main.recode("src/winnow/selection/choose.py")
    assert main.make("select") == ["select"]
    main.commit()
    assert main.do("git", "switch", "--quiet", "main") == ""
    assert branch(main, "seed", "select.seed", 1, "select") == ["select"]
    sides = [read_yaml(main.path("dvc.lock"))["stages"]["select"]]
    assert main.run("git", "merge", "code").returncode
    now = read_yaml(main.path("dvc.lock"))["stages"]["select"]
    assert now == sides[0]
    main.path(".gitattributes").unlink()
    main.do("git", "reset", "--quiet", "--hard", "seed")
    main.path(".gitattributes").unlink()
    main.do("git", "commit", "--quiet", "--all", "--message", "without")
    main.run("git", "merge", "code")
    assert read_yaml(main.path("dvc.lock"))["stages"]["select"] != sides[0]
