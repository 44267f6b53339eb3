"""Files and tables of series that cannot be read as such."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from bad_case import Build, Case, write

WAVES = [[f"{np.sin(0.3 * step + k):.3f}" for step in range(12)] for k in range(20)]
LINES = [",".join(wave) + (":up" if k % 2 else ":down") for k, wave in enumerate(WAVES)]
STEPS = "who,when,height,kind\n" + "".join(
    f"p{k},{step},{wave[step]},{'up' if k % 2 else 'down'}\n" for k, wave in enumerate(WAVES) for step in range(12)
)


def ts(*lines: str, head: str = "@classLabel true up down\n@data\n") -> Build:
    """A file of series."""
    return write("waves.ts", head + "\n".join(lines) + "\n")


def npz(**arrays: np.ndarray) -> Build:
    """An archive of arrays."""

    def build(folder: Path) -> None:
        held = io.BytesIO()
        np.savez(held, **arrays)
        (folder / "waves.npz").write_bytes(held.getvalue())

    return build


def long(name: str, wrong: str, options: str, *says: str, content: str = STEPS) -> Case:
    """A long table that is refused."""
    return Case(name, wrong, f"autodl fit steps.csv {options}", says, write("steps.csv", content))


FIT = "autodl fit waves.ts"
SERIES = (
    Case("ts_word", "A word among the steps of a series", FIT, ("line 3", "'up-'"), ts("1,up-,3:up", *LINES)),
    Case("ts_channels", "A series with another channel", FIT, ("line 23", "2 channels"), ts(*LINES, "1,2:3,4:up")),
    Case("ts_stamps", "Series with time stamps", FIT, ("time stamp", "same distance"), ts("(0,1),(1,2):up")),
    Case("ts_head", "A file of series without its head", FIT, ("@data", ".npz"), ts(*LINES, head="")),
    Case("ts_empty", "A file of series without series", FIT, ("no series", "each series"), ts()),
    Case(
        "npz_unclear",
        "Arrays of which any may be the series",
        "autodl fit waves.npz",
        ("a (20, 12), b (20, 12)", "Save X"),
        npz(a=np.zeros((20, 12)), b=np.zeros((20, 12))),
    ),
    Case(
        "npz_objects",
        "Pickled objects in an archive of arrays",
        "autodl fit waves.npz",
        ("pickled objects", "unequal lengths"),
        npz(X=np.array([np.zeros(3), np.zeros(4)], dtype=object)),
    ),
    long("series_id_unknown", "--series-id of a column that is not there", "--series-id whom", "'whom'", "'who'"),
    long("order_alone", "--order-column without --series-id", "--order-column when", "--order-column", "--series-id"),
    long(
        "order_words",
        "An order of words",
        "--target height --series-id who --order-column kind",
        "'kind'",
        "no order",
    ),
    long(
        "changing_target",
        "A target that changes within a series",
        "--target height --series-id who --order-column when",
        "'height' changes within a series of 'who'",
    ),
    long(
        "lone_steps", "An ID that is different in each row", "--target kind --series-id id", "the series of 'id'",
        content="id,height,kind\n" + "".join(f"{k},{k % 7},{'up' if k % 2 else 'down'}\n" for k in range(30)),
    ),
)  # fmt: skip
