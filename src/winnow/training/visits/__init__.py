"""Trainings that choose as they go: each is a file, with a function of the same name.

The function takes the number of images, the number of epochs of the schedule, and its options as keyword arguments. It
returns a ``Plan`` (``training.plan``), and raises ValueError that names an option if it cannot.
"""
