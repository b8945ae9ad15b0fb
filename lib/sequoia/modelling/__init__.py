"""What all models have in common: the interface, the folder they are kept in, and which are there."""
