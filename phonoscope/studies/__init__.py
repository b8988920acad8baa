"""What is fitted on what and scored how: one module per study."""
