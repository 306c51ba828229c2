"""What changes a mask while a network trains: each way a file, with a function of its name.

The function takes a ``During``, and its options as keyword arguments, and gives what the training loop calls after
every step (``training.loop.StepHook``).
"""
