"""The stages of dvc.yaml, a script each."""

import os

from winnow.orphans import end_with_parent

# Before a script's own imports, which take seconds: whoever started the stage may be killed in the meantime.
if "DVC_STAGE" in os.environ:
    end_with_parent(os.getppid())
