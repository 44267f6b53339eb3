"""Networks that others have trained, used as they are to turn images and texts into numbers.

An encoder is a file here, an installed entry point of the group ``autodl.pretrained``, a folder as transformers
writes it, or a name on the Hugging Face hub. Models hold its name and its digest, never its weights.
"""
