"""Scores of the images themselves, the same after every epoch. Each takes the early runs of a cohort and returns
float32 [seeds, n], or [1, n] if it is the same for every seed."""
