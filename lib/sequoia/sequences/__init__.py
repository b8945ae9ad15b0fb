"""K-core, order, splits, sessions, vocabulary and training rows."""
