"""Hostile input for every door: kept corpora, and a search that is guided by what code an input reaches."""
