"""Tickets: their files, what a level does and its training, and what came of all levels."""
