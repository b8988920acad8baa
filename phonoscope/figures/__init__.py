"""The pictures: one module per figure."""
