"""Dense ids that stay: users, items, categories and brands."""
