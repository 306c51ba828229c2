import matplotlib as mpl
import pytest


@pytest.fixture(autouse=True)
def _settings_stay():
    """Drawing a picture leaves matplotlib's settings as they were."""
    before = dict(mpl.rcParams)
    yield
    assert dict(mpl.rcParams) == before
