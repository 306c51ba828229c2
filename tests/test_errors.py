import errno

from winnow.errors import describe


def test_an_error_of_the_system_says_where_what_and_why():
    assert describe(OSError(errno.ENOSPC, "No space left on device", "a/b")) == "a/b: No space left on device"
    assert describe(OSError(errno.ENOSPC, "the folder could not be created")) == (
        "the folder could not be created: No space left on device"
    )
    assert describe(OSError("Connect call failed")) == "Connect call failed"
