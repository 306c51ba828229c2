"""What a pull request changes: the steps of continuous integration, which src/winnow/project/experiment.yml calls.

``python -m winnow.repro.pull_request BASE`` pulls what the remote has, runs the rest, pushes what is new, and leaves in
``report/`` the text of the comment, the report, the same with the results of BASE beside these, and the plots of both.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence

from winnow.errors import UserError
from winnow.repro.compare import FOLDER, compare
from winnow.storage import atomic_file

COMMENT = FOLDER / "pull_request.md"
MOST = 60  # rows of a table: GitHub takes 65,536 characters
RUN = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")  # where a workflow finds itself

TAKE_OVER = """The committed `dvc.lock` is not that of these results. To take them over, which trains nothing:

```
dvc repro --pull && git add dvc.lock metrics plots && git commit -m "results"
```"""


def main(base: str) -> int:
    """Run the steps; returns the exit status of ``dvc repro``. What has been computed is pushed even if a stage failed.

    Raises UserError if there is no such revision, or if a step fails; the step has printed its error.
    """
    # where the branch began: what others have merged since is no change of it
    begun = _git("rev-parse", "--short", _git("merge-base", base, "HEAD"))
    status, printed = _followed("dvc", "repro", "--pull")
    pushed = subprocess.run(["dvc", "push", "--run-cache"], check=False).returncode
    if status or pushed:
        return status or pushed
    compare(begun)
    _done("dvc", "plots", "diff", begun, "--out", str(FOLDER / "plots"))
    tables = {kind: _done("dvc", kind, "diff", begun, "--md", "--no-path") for kind in ("metrics", "params")}
    with atomic_file(COMMENT) as file:
        file.write_text(in_words(begun, tables, _ran(printed), changed=bool(_git("status", "--porcelain", "dvc.lock"))))
    return 0


def in_words(begun: str, tables: dict[str, str], ran: Sequence[str], changed: bool) -> str:
    """The comment, in Markdown. begun: the commit that the tables, of DVC, compare with. ran: the stages that were not
    in the cache. changed: whether dvc.lock is another now than that of the commit."""
    where = [os.environ.get(name, "") for name in RUN]
    report = f"[report]({where[0]}/{where[1]}/actions/runs/{where[2]})" if all(where) else "report"
    stages = ", ".join(f"`{stage}`" for stage in ran) or "none: all was in the cache"
    parts = [f"### What this changes since {begun}"]
    parts += [f"**{kind.capitalize()}**\n\n{_cut(table)}" for kind, table in tables.items()]
    parts.append(f"**Stages that ran:** {stages}")
    parts.append(
        f"The artifact {report} has `index.html`, the page with all results; `compare-{begun}.html`, the same beside "
        f"those of {begun}; and `plots/index.html`, the plots of both."
    )
    return "\n\n".join([*parts, *([TAKE_OVER] if changed else [])]) + "\n"


def _cut(table: str) -> str:
    lines = table.strip().splitlines()
    more = len(lines) - MOST - 2  # the first two are the head, which DVC may print alone
    if len(lines) <= 2:
        return "No change."
    return "\n".join([*lines[: MOST + 2], *([f"\n… and {more} more"] if more > 0 else [])])


def _ran(printed: str) -> list[str]:
    """The stages that dvc repro ran, but for check, which always runs."""
    return [name for name in re.findall(r"^Running stage '(.+)':", printed, re.MULTILINE) if name != "check"]


def _followed(*command: str) -> tuple[int, str]:
    """Run a command, and print what it prints while it runs. Returns its exit status and what it printed."""
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    return process.returncode, "".join(lines)


def _done(*command: str) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise UserError(f"{' '.join(command)}: ended with status {done.returncode}")
    return done.stdout


def _git(*words: str) -> str:
    return _done("git", *words).strip()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m winnow.repro.pull_request BASE")
    try:
        sys.exit(main(sys.argv[1]))
    except UserError as error:
        sys.exit(f"error: {error}")
