"""The contracts of all tables, one SQL file each; `sequoia.tables` is their only reader."""
