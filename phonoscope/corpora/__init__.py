"""Readers of corpora: one module per file format, each returning the tables of phonoscope.tables."""
