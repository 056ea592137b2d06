"""Readers: one module per export format, each from a file to rows as they stand on their own."""
