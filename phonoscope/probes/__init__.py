"""Linear algebra of probing: moments, least squares, designs, inference. Imports no torch."""
