"""``dvc repro`` with several stages at once, which make repro runs.

DVC decides what has changed and keeps its own books (dvc.lock, cache, run cache), exactly as in ``dvc repro``. This
package only adds what DVC lacks: stages that do not depend on each other run side by side.
"""
