"""Figures as inline SVG, each with a text alternative and its numbers as a table."""
