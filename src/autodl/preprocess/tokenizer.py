"""Texts cut into tokens: words, pieces of rare words, and characters of scripts that are written without spaces.

Which tokens there are is learnt from the training rows alone. Notation: n texts, V tokens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.media.batch import ABSENT, MediaBatch
from autodl.media.tokens import FIRST, UNKNOWN, TokenStore
from autodl.text_words import in_long_runs, part_pattern

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_WORDS, MOST_PIECES = 20_000, 4_000
SEEN = 2
"""Texts in which a word must stand to be a token of its own: what is seen once cannot be learnt."""
LONGEST_PIECE = 4
"""Characters of a piece of a word."""
LONGEST_TEXT = 20_000
"""Characters of a text that are looked at."""


class Tokenizer:
    """Cuts texts into tokens that it knows.

    Words are lower-cased. A word that is rare or was never seen is cut into the longest pieces known, from the left.

    Args:
        words: Tokens that are whole. pieces: of one to ``LONGEST_PIECE`` characters, for other words.
        characters: Whether each character is a token.
        marks: Whether words hold combining marks; those of earlier versions end before them.
    """

    def __init__(self, words: list[str], pieces: list[str], characters: bool, marks: bool = True) -> None:
        self.words, self.pieces, self.characters, self.marks = words, pieces, characters, marks
        self._words = {word: FIRST + k for k, word in enumerate(words)}
        self._pieces = {piece: FIRST + len(words) + k for k, piece in enumerate(pieces)}

    @classmethod
    def learn(cls, texts: Iterable[str | None], letters: bool = False) -> Tokenizer:
        """From the training rows; ``letters``: each character is a token, whatever the texts look like."""
        known = [text for text in texts if text]
        characters = letters or in_long_runs(known)
        seen: Counter[str] = Counter()
        for text in known:
            seen.update(set(parts(text, characters)))
        # Ties are broken by the words themselves: the order of a set is not the same in each process.
        ranked = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
        words = [word for word, n in islice(ranked, MOST_WORDS) if n >= SEEN]
        of: Counter[str] = Counter()
        for word, _ in islice(ranked, MOST_WORDS):
            of.update(word[i : i + k] for k in range(1, LONGEST_PIECE + 1) for i in range(len(word) - k + 1))
        common = sorted(of.items(), key=lambda item: (-item[1], item[0]))
        pieces = [piece for piece, n in islice(common, MOST_PIECES) if n >= SEEN]
        return cls(words, pieces, characters)

    @property
    def size(self) -> int:
        """V and the few numbers that stand for none."""
        return FIRST + len(self.words) + len(self.pieces)

    def __getstate__(self) -> dict[str, Any]:
        return {"words": self.words, "pieces": self.pieces, "characters": self.characters, "marks": self.marks}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Tokenizer.__init__(self, state["words"], state["pieces"], state["characters"], state.get("marks", False))

    def tokens(self, text: str) -> list[int]:
        """Numbers of the tokens of a text."""
        out: list[int] = []
        for part in parts(text, self.characters, self.marks):
            if (number := self._words.get(part)) is not None:
                out.append(number)
            else:
                out += self._cut(part)
        return out

    def _cut(self, word: str) -> list[int]:
        out, start = [], 0
        while start < len(word):
            for end in range(min(len(word), start + LONGEST_PIECE), start, -1):
                if (number := self._pieces.get(word[start:end])) is not None:
                    out.append(number)
                    break
            else:
                out.append(UNKNOWN)
                end = start + 1
            start = end
        return out

    def batch(self, texts: Sequence[str | None]) -> MediaBatch:
        """The tokens of n texts; none where a text is missing or empty."""
        rows = [np.array(self.tokens(text) if text else [], np.int32) for text in texts]
        lengths = np.array([len(r) for r in rows], np.int64)
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        flat: NDArray[np.int32] = np.concatenate(rows) if rows else np.empty(0, np.int32)
        places = np.where(lengths > 0, np.arange(len(rows)), ABSENT).astype(np.int64)
        return MediaBatch(TokenStore(flat, starts, self.size), places)


def parts(text: str, characters: bool = False, marks: bool = True) -> list[str]:
    """Words, signs and characters of scripts without spaces, in order.

    >>> parts("Good, 很好!"), parts("GATTA", True)
    (['good', ',', '很', '好', '!'], ['g', 'a', 't', 't', 'a'])
    """
    text = text[:LONGEST_TEXT].lower()
    return [c for c in text if not c.isspace()] if characters else part_pattern(marks).findall(text)
