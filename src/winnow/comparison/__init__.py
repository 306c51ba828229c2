"""The comparison of selection methods: the results of several projects in, tables, pictures and a page out."""
