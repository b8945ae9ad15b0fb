"""One file each: what the lines of a format hold, by a fast way for blocks and a slow one for odd lines."""
