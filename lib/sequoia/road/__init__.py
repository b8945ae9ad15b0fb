"""The road itself: what a stage is, their order, one run at a time, and the diary of what ran."""
