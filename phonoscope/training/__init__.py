"""Training of small and large models: recipes, the runs they share, held-out errors and cards."""
