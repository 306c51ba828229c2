"""The command winnow: what DVC does not do for a project. The rest is dvc."""
