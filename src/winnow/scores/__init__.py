"""Scores of how much each image matters, a module each, and their table and suspects."""
