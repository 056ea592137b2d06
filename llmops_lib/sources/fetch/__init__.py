"""Pulls from the APIs of trace servers: network to a file on disk, never straight to a table."""
