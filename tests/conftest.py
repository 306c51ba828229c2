import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no failure
settings.register_profile("winnow", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("winnow")

# Before torch is imported: many small tensors are no work for many threads, and some tests fork
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: some tests wait, for servers and for processes that they have killed."""
    from winnow import cores

    return cores.available() + 1


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what forks where there is a GPU: torch computes no gradients in a fork of a process that has computed some
    there, whichever device it used."""
    if item.get_closest_marker("forks"):
        import torch

        if torch.accelerator.is_available():
            pytest.skip("forks, which torch allows only where it sees no GPU: CUDA_VISIBLE_DEVICES= hides it")


@pytest.fixture
def user_error() -> Callable[..., AbstractContextManager[None]]:
    """``with user_error("a", "b"):`` expects a UserError in one line that holds all of these texts."""
    from winnow.errors import UserError

    @contextmanager
    def expect(*texts: object) -> Iterator[None]:
        with pytest.raises(UserError) as caught:
            yield
        message = str(caught.value)
        assert "\n" not in message
        for text in texts:
            assert str(text) in message

    return expect
