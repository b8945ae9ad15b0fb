"""Losses over the item vocabulary, one file each."""
