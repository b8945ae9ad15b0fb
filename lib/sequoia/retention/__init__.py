"""What may go, and when: `sequoia clean`."""
