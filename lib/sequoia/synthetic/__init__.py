"""A generated corpus in the real file formats, with real marginals, real dirt and something to learn."""
