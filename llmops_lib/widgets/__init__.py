"""Panels for notebooks: controls that redraw a view."""
