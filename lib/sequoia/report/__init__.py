"""The report: summary.json, the summary in the terminal, and the HTML page."""
