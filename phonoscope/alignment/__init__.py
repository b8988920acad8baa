"""Text and tokens to times."""
