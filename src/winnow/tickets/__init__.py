"""Tickets: their files, what a level does, its training, and the results of all levels."""
