import os

import pytest
import torch

from winnow.training.device import chosen_device, device_names, workers


def test_the_device_of_the_environment(monkeypatch):
    monkeypatch.setenv("WINNOW_DEVICE", "cpu")
    assert chosen_device() == torch.device("cpu")


def test_several_devices_of_the_environment(monkeypatch):
    monkeypatch.setenv("WINNOW_DEVICE", "cpu,cpu,cpu")
    assert device_names() == ["cpu", "cpu", "cpu"]
    assert chosen_device() == torch.device("cpu")  # the first: for a stage, or a part of one, that has no use for more
    monkeypatch.setenv("WINNOW_DEVICE", "cuda:3,cuda:0")
    assert device_names() == ["cuda:3", "cuda:0"]


@pytest.mark.parametrize("text", ["cpu,cuda:0", "cuda,cuda", "cuda:0,", "cuda:0, cuda:1", "mps,mps"])
def test_devices_that_cannot_share_a_network(monkeypatch, user_error, text):
    monkeypatch.setenv("WINNOW_DEVICE", text)
    with user_error(f"WINNOW_DEVICE={text}: several devices must be of CUDA, such as cuda:0,cuda:1, or cpu,cpu"):
        chosen_device()


def test_float32_is_not_rounded_to_fewer_digits(monkeypatch):
    monkeypatch.setenv("WINNOW_DEVICE", "cpu")
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    chosen_device()
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


def test_without_one_it_is_what_the_machine_has(monkeypatch):
    for name in (None, ""):
        monkeypatch.delenv("WINNOW_DEVICE", raising=False)
        if name is not None:
            monkeypatch.setenv("WINNOW_DEVICE", name)
        assert chosen_device().type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "the second one", "cpu:"])
def test_a_device_that_is_not_there(monkeypatch, user_error, name):
    monkeypatch.setenv("WINNOW_DEVICE", name)
    with user_error(f"WINNOW_DEVICE={name}: no such device here", "use cpu"):
        chosen_device()


def test_workers_of_the_environment(monkeypatch):
    monkeypatch.setenv("WINNOW_WORKERS", "7")
    assert workers(torch.device("cpu")) == 7
    assert workers(torch.device("cuda")) == 1  # which its processes would have to share


def test_without_them_one_for_every_core_that_may_be_used(monkeypatch):
    monkeypatch.delenv("WINNOW_WORKERS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 2, 5}, raising=False)
    assert workers(torch.device("cpu")) == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert workers(torch.device("cpu")) == 4


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "", "²"])
def test_workers_that_are_no_number(monkeypatch, user_error, text):
    monkeypatch.setenv("WINNOW_WORKERS", text)
    with user_error(f"WINNOW_WORKERS={text}: must be a whole number above 0"):
        workers(torch.device("cpu"))
