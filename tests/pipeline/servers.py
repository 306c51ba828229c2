"""Real servers on 127.0.0.1 for the tests of remotes: OpenSSH, and s3rver, which speaks S3 and keeps real files.

s3rver is one npm package; moto's server, which DVC's own tests use, keeps all in memory and takes forty packages.
s3rver differs from a real store: it checks a key's name but not its secret, and it shows objects that were half sent.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.pipeline.clone import Clone

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
S3RVER = shutil.which("s3rver")
BUCKET = "team"


@dataclass(frozen=True)
class Server:
    """A folder on a server: how DVC finds it, and where its files really lie."""

    url: str
    files: Path
    options: dict[str, str] = field(default_factory=dict)  # of DVC's remote, which a user keeps to himself
    environment: dict[str, str] = field(default_factory=dict)

    def below(self, name: str) -> "Server":
        return replace(self, url=f"{self.url}/{name}", files=self.files / name)

    def serve(self, clone: Clone) -> None:
        """Make it the default remote; the address goes into git, the rest to .dvc/config.local."""
        clone.do("dvc", "remote", "add", "--force", "--default", "team", self.url)
        self.admit(clone)

    def admit(self, clone: Clone) -> None:
        for name, value in self.options.items():
            clone.do("dvc", "remote", "modify", "--local", "team", name, value)

    def forget_half_sent(self) -> None:
        """What a real store does by itself: s3rver shows an object whose upload ended early, without its metadata."""
        for path in self.files.rglob("*._S3rver_object"):
            if not path.with_name(path.name.replace("_object", "_metadata.json")).exists():
                path.unlink()

    def objects(self) -> dict[str, bytes]:
        """What the remote holds, by the hash that is its name."""
        found = {}
        for path in self.files.glob("files/md5/??/*"):
            name = path.name.removesuffix("._S3rver_object")
            if not name.startswith(".") and "_S3rver_" not in name:
                found[path.parent.name + name] = path.read_bytes()
        return found


@contextmanager
def ssh_server(folder: Path) -> Iterator[Server]:
    """An OpenSSH server with a host key, a user's key and a folder of its own; nothing of /etc/ssh is read."""
    if SSHD is None:
        pytest.skip("no sshd: apt-get install openssh-server")
    (folder / "store").mkdir(parents=True)
    for name in ("host", "user", "stranger"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    port = free_port()
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": folder / "host",
        "PidFile": "none",
        "AuthorizedKeysFile": folder / "user.pub",
        "AuthenticationMethods": "publickey",
        "UsePAM": "no",
        "StrictModes": "no",  # a test's folder lies below /tmp, where everybody may write
        "Subsystem": "sftp internal-sftp",
    }
    (folder / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    Path("/run/sshd").mkdir(exist_ok=True)  # as root it insists on that empty folder
    with running([SSHD, "-f", str(folder / "config"), "-D", "-e"], port, folder / "log"):
        url = f"ssh://127.0.0.1:{port}{folder / 'store'}"
        settings_of_nobody = {"HOME": str(folder), "SSH_AUTH_SOCK": ""}
        yield Server(url, folder / "store", {"keyfile": str(folder / "user")}, settings_of_nobody)


@contextmanager
def s3_server(folder: Path) -> Iterator[Server]:
    """A store with one bucket; a key of another name than S3RVER is refused."""
    if S3RVER is None:
        pytest.skip("no s3rver: npm install --global s3rver")
    port = free_port()
    command = [S3RVER, "--directory", str(folder), "--address", "127.0.0.1", "--port", str(port)]
    folder.mkdir(parents=True)
    # s3rver lists a part of a folder with a cipher that Node has put away
    own = {**os.environ, "NODE_OPTIONS": "--openssl-legacy-provider"}
    with running([*command, "--configure-bucket", BUCKET], port, folder / "log", own):
        credentials = {"AWS_ACCESS_KEY_ID": "S3RVER", "AWS_SECRET_ACCESS_KEY": "S3RVER", "HOME": str(folder)}
        options = {"endpointurl": f"http://127.0.0.1:{port}", "region": "us-east-1"}
        yield Server(f"s3://{BUCKET}", folder / BUCKET, options, credentials)


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[None]:
    """A folder that is a disk of its own; ``mount -o remount,size=`` makes it larger."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "winnow-test", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, check=False).returncode:
        pytest.skip("a disk to fill needs the right to mount a tmpfs")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def running(command: list[str], port: int, log: Path, environment: dict[str, str] | None = None) -> Iterator[None]:
    """A server, from when it answers on the port until the block ends."""
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file, env=environment) as server:
        try:
            while not answers(port):
                assert server.poll() is None, log.read_text()
                time.sleep(0.05)
            yield
        finally:
            server.terminate()


def answers(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])
