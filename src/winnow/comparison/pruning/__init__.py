"""The comparison of pruning methods: a recipe's levels in, every method at every density with its checks; results,
tables, pictures and a page out."""
