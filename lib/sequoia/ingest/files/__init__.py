"""The files of an input: which there are, what they are, whether they changed, and their lines in blocks."""
