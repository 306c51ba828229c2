"""Whether the remote that the project shares its cache through answers, and if not, what to do about it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from winnow.errors import UserError

LIMIT = 20.0  # seconds; DVC itself would wait for half an hour for a server that says nothing

# What DVC says, and what to do about it. docs/team.md explains each.
MEANINGS = {
    "Permission denied for user": "the server refuses the key: see user and keyfile (dvc remote modify --local)",
    "Permission denied": "you may not read that folder: ask its owner for the group",
    "Connect call failed": "nothing answers at that address: see host and port, the network, the VPN",
    "Name or service not known": "no host has that name: see the address (dvc remote list)",
    "Could not connect to the endpoint URL": "nothing answers at that address: see endpointurl, the network, the VPN",
    "Unable to locate credentials": "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "Forbidden": "the store refuses the key: see AWS_PROFILE or AWS_ACCESS_KEY_ID, and whether it may use the bucket",
    "bucket does not exist": "create the bucket, or correct its name (dvc remote modify)",
    "extra keys not allowed": ".dvc/config.local has keys of another kind of remote: dvc remote remove --local NAME",
    "to be installed": "install the extra ssh or s3 of winnow, such as pip install '.[s3]' in a clone",
}
PLUGINS = ("aiobotocore", "aiohttp", "asyncssh", "botocore", "s3fs", "sshfs")  # whose errors are about the remote


@dataclass(frozen=True)
class Remote:
    """The default remote, and what it answers, in a line: if something is wrong, with what to do."""

    name: str
    answer: str
    wrong: bool


def default_remote(limit: float = LIMIT) -> Remote | None:
    """Ask the default remote of the working directory's project for the names in its folder, and wait for at most
    ``limit`` seconds. None if there is no default remote."""
    name = _dvc("config", "core.remote", limit=None).stdout.strip()
    if not name:
        return None
    try:
        asked = _dvc("ls-url", f"remote://{name}/", limit=limit)
    except subprocess.TimeoutExpired:
        return Remote(name, f"did not answer in {limit:.0f} s: see its address, the network, the VPN", True)
    if asked.returncode == 0:
        return Remote(name, "answers", False)
    said = next((line for line in asked.stderr.splitlines() if line.startswith("ERROR: ")), asked.stderr.strip())
    said = said.removeprefix("ERROR: ").removeprefix("unexpected error - ")
    if known := _meaning(said):
        return Remote(name, known, True)
    if "does not exist" in said:
        return Remote(name, "has nothing at its address: dvc push makes the folder, or a disk is not mounted", False)
    return Remote(name, said, True)


@contextmanager
def explained() -> Iterator[None]:
    """Turn what DVC's plugins raise into a UserError of one line, with what to do where that is known."""
    try:
        yield
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        known = _meaning(said)
        if known or type(error).__module__.partition(".")[0] in PLUGINS:
            raise UserError(known or said) from None
        raise


def _meaning(said: str) -> str | None:
    return next((f"{meaning} ({said})" for phrase, meaning in MEANINGS.items() if phrase in said), None)


def _dvc(*arguments: str, limit: float | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["dvc", *arguments],
        env={**os.environ, "AWS_MAX_ATTEMPTS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=limit,
        start_new_session=True,  # without a terminal it cannot ask for a password
    )
