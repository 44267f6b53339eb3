"""Cells that are whole objects: images, series, texts in tokens. Stores hold them once, columns name their rows.

A column of a frame is a ``MediaArray``: row numbers in a store. Cutting, shuffling and sending it to another process
moves numbers, never pixels. Models get a ``MediaBatch``, the same without pandas.
"""
