"""The configurations that ship with the package; `sequoia.config` is their only reader."""
