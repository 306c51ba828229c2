"""Looks for known vulnerabilities in requirements.lock, and for secrets in the files of git. Fails on a vulnerability
that a newer version mends, and on a secret; without a network it says what it could not look up, and goes on."""

import json
import subprocess
import sys
from typing import Any

VULNERABILITIES = "pip-audit==2.10.1"
SECRETS = "detect-secrets==1.5.0"  # pragma: allowlist secret (such a line is none)
SECONDS = 180


def main() -> int:
    wrong = [*vulnerabilities(), *secrets()]
    for line in wrong:
        print(f"error: {line}")
    return 1 if wrong else 0


def vulnerabilities() -> list[str]:
    """A line on each vulnerability that has a mended version."""
    options = ["--disable-pip", "--require-hashes", "--requirement", "requirements.lock", "--format", "json"]
    found = run(VULNERABILITIES, "pip-audit", *options, "--progress-spinner", "off")
    if found is None:
        return []
    packages, wrong = found["dependencies"], []
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if skipped:
        print(f"note: {len(skipped)} of {len(packages)} packages could not be looked up, such as {skipped[0]}")
    for package in packages:
        for one in package.get("vulns", []):
            line = f"{package['name']} {package['version']}: {one['id']}"
            if one["fix_versions"]:
                wrong.append(f"{line}: mended in {', '.join(one['fix_versions'])} (make lock)")
            else:
                print(f"note: {line}: no version mends it yet")
    return wrong


def secrets() -> list[str]:
    """A line on each thing that looks like a key or a password."""
    listed = subprocess.run(["git", "ls-files", "-z"], stdout=subprocess.PIPE, text=True, check=True)
    files = [name for name in listed.stdout.split("\0") if name and not name.endswith((".lock", ".png", ".whl"))]
    found = run(SECRETS, "detect-secrets", "scan", "--no-verify", *files)  # to verify, it would send them
    results = found["results"] if found else {}
    return [f"{name} line {one['line_number']}: {one['type']}" for name, all_ in results.items() for one in all_]


def run(package: str, *command: str) -> Any:
    """The json that a tool prints; None if it cannot be installed, or has no network."""
    words = ["uv", "tool", "run", "--from", package, *command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=SECONDS)
        return json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        reason = f"it took more than {SECONDS} seconds"
    except ValueError:  # it printed no json
        reason = " ".join(done.stderr.split()[-20:])
    print(f"note: {package} did not run, so nothing was looked up: {reason}")
    return None


if __name__ == "__main__":
    sys.exit(main())
