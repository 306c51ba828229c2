"""Names in params.yaml become files, folders and words of a command: none leads elsewhere or says more than a name."""

import os
import shlex
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from winnow.errors import UserError
from winnow.experiment import Params
from winnow.params.base import validate
from winnow.params.named import load_named
from winnow.params.training import Network
from winnow.recipe import expanded

VALUES = YAML(typ="safe").load(expanded("default"))


def refused(change: Callable[[Any], None]) -> str | None:
    """What the schema says of the default experiment with a change; None if it takes it."""
    values = deepcopy(VALUES)
    change(values)
    try:
        validate(Params, values, "params.yaml", named=load_named(values, "params.yaml"))
    except UserError as error:
        return str(error)
    return None


def add(*keys: str) -> Callable[[Any, str], None]:
    """Add an item of this name to a map of the user's, as its first item is."""

    def change(values: Any, name: str) -> None:
        for key in keys:
            values = values[key]
        values[name] = deepcopy(next(iter(values.values()), None))

    return change


def add_method(values: Any, name: str) -> None:
    values["select"]["methods"] = {"random": {}, name: {"method": "ranked", "score": "el2n"}}
    values["sweep"] = {"methods": [], "keep": []}
    for level in values["pruning"]["levels"].values():
        level["data"] = "full"
    for point in values["pruning"]["rewinds"].values():
        point["data"] = "full"
    for run in values["perturbation"]["runs"].values():
        run["data"] = "full"


def add_source(values: Any, name: str) -> None:
    sources = values["transfer"]["sources"]
    sources[name] = {**next(iter(sources.values())), "seeds": [999]}


def add_cohort(values: Any, name: str) -> None:
    values["early"]["cohorts"][name] = [999]


# the folder that items of this kind lie in, and their names there
PLACES: dict[str, tuple[Callable[[Any, str], None], str, str]] = {
    "cohort": (add_cohort, "data/early", "{}"),
    "source": (add_source, "data/early", "from-{}"),
    "method": (add_method, "data/select", "{}-0.5.parquet"),
    "level": (add("pruning", "levels"), "data/tickets", "{}"),
    "rewind": (add("pruning", "rewinds"), "data/rewind", "{}"),
    "run": (add("perturbation", "runs"), "data/landscape/perturbation", "{}.parquet"),
    "network": (add("networks"), "any", "{}"),
    "training": (add("trainings"), "any", "{}"),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_usual_name_is_taken(place: str) -> None:
    assert refused(lambda values: PLACES[place][0](values, "usual_1")) is None


BAD = [
    "..",
    ".",
    "",
    "../x",
    "a/b",
    "/etc/x",
    "~",
    "a b",
    "a\nb",
    "a\n",
    "$(id)",
    "`id`",
    "a;id",
    "a&id",
    "a|id",
    "'",
    "\0",
]


ALLOWED = (("method", "."), ("method", ".."))  # whose files are called ..-0.5.parquet


@pytest.mark.parametrize(
    ("place", "name"), [(place, name) for place in PLACES for name in BAD if (place, name) not in ALLOWED]
)
def test_a_name_that_leads_elsewhere_is_refused(place: str, name: str) -> None:
    message = refused(lambda values: PLACES[place][0](values, name))
    assert message is not None
    assert "\n" not in message


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=50)
@given(name=st.text(max_size=8) | st.text("./\\~$`;&| -_ab0é", max_size=8))
def test_a_name_that_is_taken_is_one_file_and_one_word(place: str, name: str) -> None:
    change, folder, called = PLACES[place]
    if refused(lambda values: change(values, name)) is None:
        path = os.path.normpath(f"/project/{folder}/{called.format(name)}")
        assert Path(path).parent == Path(f"/project/{folder}")
        assert shlex.split(name) == [name]
        assert shlex.quote(name) == name  # a shell takes it as it is


@pytest.mark.parametrize(
    "weights",
    [
        "/etc/start.safetensors",
        "networks/../../start.safetensors",
        "networks/..",
        "../networks/a.safetensors",
        "~/networks/a.safetensors",
        "networks/a.pt",
        "networks/a\n.safetensors",
    ],
)
def test_weights_elsewhere_are_refused(weights: str, user_error: Callable) -> None:
    with user_error("params.yaml", "weights", "in the folder networks"):
        validate(Network, {"weights": weights}, "params.yaml")


@given(st.text(max_size=12) | st.text("./~ab\\", max_size=12))
def test_weights_lie_in_the_folder_networks(text: str) -> None:
    weights = f"networks/{text}.safetensors"
    try:
        validate(Network, {"weights": weights}, "params.yaml")
    except UserError:
        return
    assert Path("/project/networks") in Path(os.path.normpath(f"/project/{weights}")).parents


@pytest.mark.parametrize(
    "name", ["os:system", "networks.a.os:system;id", "networks..os:system", "networks/../a:b", "a:b"]
)
def test_a_network_of_the_users_own_lies_in_the_folder_networks(name: str, user_error: Callable) -> None:
    with user_error("params.yaml", "networks.MODULE:FUNCTION"):
        validate(Network, {"name": name}, "params.yaml")


@given(st.text("networks.:/_ab\\", max_size=24))
@example("networks.a:b")
def test_the_module_of_a_network_is_a_file_in_the_folder_networks(name: str) -> None:
    try:
        validate(Network, {"name": name}, "params.yaml")
    except UserError:
        return
    if ":" in name and not name.startswith("torchvision:"):
        module = name.partition(":")[0].replace(".", "/")
        assert Path("/project/networks") in Path(os.path.normpath(f"/project/{module}.py")).parents


def test_names_of_methods_are_looked_up_and_never_imported_as_they_are() -> None:
    message = refused(lambda values: values["download"].update({"source": "../../evil"}))
    assert message is not None
    assert "must be one of" in message
    message = refused(lambda values: values["score"].update({"scores": ["el2n", "os.system"]}))
    assert message is not None
    assert "unknown score" in message
