"""The corpora that are shipped: how each is planned, synthesised and written."""
