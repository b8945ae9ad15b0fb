"""Sequential recommendation from raw interactions to promoted models."""
