"""The comment on a pull request, and the workflow that makes it."""

import re
from importlib.util import find_spec

import pytest
from ruamel.yaml import YAML

from winnow.cli.init import FILES
from winnow.repro.pull_request import MOST, in_words

WORKFLOW = YAML(typ="safe").load(FILES / "experiment.yml")
STEPS = [(job, step) for job, entry in WORKFLOW["jobs"].items() for step in entry["steps"]]


@pytest.fixture(autouse=True)
def nowhere(monkeypatch):
    for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"):
        monkeypatch.delenv(f"GITHUB_{name}", raising=False)


def test_the_comment_has_the_tables_the_stages_and_how_to_take_the_results_over(monkeypatch):
    metrics, params = "| Metric |\n|--|\n| full |\n", "| Param |\n|--|\n\n"
    text = in_words("0123abc", {"metrics": metrics, "params": params}, ["select", "retrain@el2n-0.3"], changed=True)
    assert "**Metrics**\n\n| Metric |\n|--|\n| full |\n\n**Params**\n\nNo change.\n\n" in text
    assert "**Stages that ran:** `select`, `retrain@el2n-0.3`\n" in text
    assert "`compare-0123abc.html`" in text
    assert "dvc repro --pull && git add dvc.lock metrics plots" in text

    monkeypatch.setenv("GITHUB_SERVER_URL", "https://host")
    monkeypatch.setenv("GITHUB_REPOSITORY", "me/mine")
    monkeypatch.setenv("GITHUB_RUN_ID", "7")
    text = in_words("0123abc", {"metrics": metrics}, [], changed=False)
    assert "[report](https://host/me/mine/actions/runs/7)" in text
    assert "all was in the cache" in text
    assert "git add" not in text


def test_a_long_table_is_cut():
    table = "\n".join(["| Param |", "|--|", *(f"| {i} |" for i in range(MOST + 3))])
    text = in_words("0123abc", {"params": table}, [], changed=False)
    assert f"| {MOST - 1} |\n\n… and 3 more\n" in text


def test_the_workflow_pins_its_actions_and_gives_each_job_what_it_needs():
    used = [step["uses"] for _, step in STEPS if "uses" in step]
    assert used
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", use) for use in used)
    assert WORKFLOW["permissions"] == {}
    assert {name: job["permissions"] for name, job in WORKFLOW["jobs"].items()} == {
        "run": {"contents": "read"},
        "comment": {"pull-requests": "write"},
    }
    assert WORKFLOW["on"] == "pull_request"
    # what may write checks out no code of the branch
    assert not any("checkout" in step.get("uses", "") for job, step in STEPS if job == "comment")


def test_no_text_of_a_pull_request_becomes_a_command_and_one_step_sees_the_secrets():
    assert not any("${{" in step.get("run", "") for _, step in STEPS)
    secret = [step for _, step in STEPS if "secrets." in str(step)]
    assert [step["run"] for step in secret] == ['python -m winnow.repro.pull_request "$BASE"']
    assert "secrets." not in str(WORKFLOW["env"])
    assert find_spec("winnow.repro.pull_request")
