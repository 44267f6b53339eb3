"""Model files that run no code when they are read."""

from autodl.serialize.codec import dump, file_suffix, is_safe_format, load
from autodl.serialize.errors import RefusedTypeError, UnsupportedValueError

__all__ = ["RefusedTypeError", "UnsupportedValueError", "dump", "file_suffix", "is_safe_format", "load"]
