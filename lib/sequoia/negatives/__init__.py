"""Candidate sets for sampled metrics."""
