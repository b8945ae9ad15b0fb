"""From raw files to interactions and items: reading, checking, cleaning, de-duplicating, accounting."""
