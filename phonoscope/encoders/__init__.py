"""Models to hidden states: loading, batching, time base."""
