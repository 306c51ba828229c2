"""``dvc repro`` with several stages at once: make repro runs it.

DVC decides what has changed and keeps its own books (dvc.lock, cache, run cache), exactly as ``dvc repro`` does. Here
is only what it lacks: stages that do not depend on each other run side by side.
"""
