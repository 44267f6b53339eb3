"""Search spaces of the user's own: which family they are for, and whether it can use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autodl.errors import ConfigError
from autodl.models.base import families
from autodl.search.fitting import of_units
from autodl.search.space import SearchSpace, family_space
from autodl.search.user_space import read_spaces, same_spaces

DEPTH = "depth: {type: int, low: 1, high: 3, default: 2}"


def read(tmp_path: Path, text: str, *asked: str) -> dict[str, SearchSpace]:
    path = tmp_path / "my.yaml"
    path.write_text(text, "utf-8")
    return read_spaces(str(path), asked)


@pytest.mark.parametrize(
    "text", [DEPTH, f"params: {{{DEPTH}}}", f"mlp: {{{DEPTH}}}", f"mlp: {{params: {{{DEPTH}}}}}"]
)
def test_one_family_with_or_without_its_name(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, text, "mlp")
    assert list(found) == ["mlp"]
    assert list(found["mlp"].params) == ["depth"]
    assert found["mlp"].starts() == [{"depth": 2}]
    assert found["mlp"].nas == ("depth",), "what is architecture is known"


def test_several_families(tmp_path: Path) -> None:
    found = read(tmp_path, f"mlp: {{{DEPTH}}}\nlinear: {{C: {{type: float, low: 0.1, high: 2}}}}\n")
    assert {k: list(s.params) for k, s in found.items()} == {"mlp": ["depth"], "linear": ["C"]}


def test_what_is_left_out_stays_as_shipped(tmp_path: Path) -> None:
    shipped = family_space("mlp")
    listed = read(tmp_path, "mlp: {portfolio: [{depth: 2}, {}]}")["mlp"]
    assert (listed.params, listed.nas) == (shipped.params, shipped.nas)
    assert [s["depth"] for s in listed.starts()] == [2, shipped.starts()[0]["depth"]]
    narrowed = read(tmp_path, "mlp: {nas: [depth, width]}")["mlp"]
    assert narrowed.nas == ("depth", "width")
    assert narrowed.starts() == shipped.starts()


def test_nni_form(tmp_path: Path) -> None:
    found = read(tmp_path, '{"depth": {"_type": "choice", "_value": [1, 2]}}', "mlp")
    assert found["mlp"].params["depth"].values == (1, 2)


@pytest.mark.parametrize("key", [k for k in families if family_space(k).params])
def test_every_shipped_space_could_be_the_users(tmp_path: Path, key: str) -> None:
    import yaml

    body = family_space(key).model_dump(mode="json", exclude_defaults=True)
    found = read(tmp_path, yaml.safe_dump({key: body}))
    assert found[key] == family_space(key)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{DEPTH}\ndetph: {{type: int, low: 1, high: 2}}", "line 2: the model family 'mlp' has no setting 'detph'. "
         "Did you mean 'depth'?"),
        ("depth: {type: int, low: 0, high: 3}", "line 1: 'depth' of 'mlp' cannot be 0: it must be greater than"),
        ("lr: {type: float, low: 0.0, high: 0.1}", "'lr' of 'mlp' cannot be 0.0"),
        ("depth: {type: float, low: 1, high: 3}", "a fractional part. Write `type: int`."),
        ("params:\n  prep.scale:\n    type: choice\n    values: [none, big]",
         "line 2: 'prep.scale' of 'mlp' cannot be 'big'"),
        ("prep.scl: {type: choice, values: [none]}", "Did you mean 'prep.scale'?"),
        ("depth: {low: 1, high: 3}", "line 1"),
        ("[1, 2]", "holds no search space"),
        ("", "holds no search space"),
    ],
)  # fmt: skip
def test_what_the_family_does_not_take(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text, "mlp")
    assert said in str(caught.value)
    assert str(tmp_path / "my.yaml") in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (DEPTH, "not said of which"),
        ("mlpp: {}", "line 1: unknown model family 'mlpp'. Did you mean 'mlp'?"),
        (f"mlp: {{{DEPTH}}}\nlightgmb:\n  x: 1", "line 2: unknown model family 'lightgmb'"),
        ("mlp: 3", "line 1: 'mlp' needs a mapping"),
        (f"mlp:\n  params:\n    {DEPTH}\n  pfolio: []", "line 4"),
    ],
)
def test_whose_space_it_is(tmp_path: Path, text: str, said: str) -> None:
    for asked in ((), ("mlp", "linear")):
        with pytest.raises(ConfigError) as caught:
            read(tmp_path, text, *asked)
        assert said in str(caught.value)


def test_combinations_that_the_family_refuses_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each value alone is fine, but not all of them together."""
    from pydantic import model_validator

    from autodl.models.base import FamilyConfig

    class Narrow(FamilyConfig):
        depth: int = 1
        width: int = 64

        @model_validator(mode="after")
        def _fits(self) -> Narrow:
            if self.depth * self.width > 256:
                raise ValueError("depth times width must be at most 256")
            return self

    monkeypatch.setattr(families["mlp"], "config", Narrow)
    text = f"{DEPTH}\nwidth: {{type: choice, values: [64, 128], default: 64}}"
    with pytest.raises(ConfigError, match="depth times width must be at most 256"):
        read(tmp_path, text, "mlp")
    assert read(tmp_path, text.replace("128", "80"), "mlp")


@pytest.mark.parametrize("letters", [True, False])
def test_what_a_file_takes_over_is_for_words_or_letters_as_planned(tmp_path: Path, letters: bool) -> None:
    """Configurations listed for the one are not good for the other; what the user says of it stays."""
    file = tmp_path / "space.yaml"

    def read(text: str) -> SearchSpace:
        file.write_text(f"rnn: {text}\n")
        return read_spaces(str(file), ["rnn"])["rnn"]

    taken = read("{nas: [cell, hidden]}")
    wanted = [c for c in taken.portfolio if c.get("prep.text_letters", False) is letters]
    space = of_units(taken, letters, "rnn")
    assert "prep.text_letters" not in space.params and len(space.portfolio) == len(wanted) > 1
    own = read("{params: {prep.text_letters: {type: choice, values: [true, false]}}}")
    assert of_units(own, letters, "rnn") == own
    listed = read("{portfolio: [{hidden: 128}, {prep.text_letters: true, hidden: 256}]}")
    starts = of_units(listed, letters, "rnn").starts()
    assert [(s["hidden"], s["prep.text_letters"]) for s in starts] == [(128, letters), (256, True)]


def test_what_another_version_ships_is_no_change_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"

    def same(text: str, *, version: bool = False) -> bool:
        file.write_text(text + "\n")
        return same_spaces(str(file), ["rnn"], then, version)

    def stored(text: str) -> dict[str, Any]:
        file.write_text(text + "\n")
        return read_spaces(str(file), ["rnn"])["rnn"].model_dump(mode="json")

    then: dict[str, Any] = {"rnn": stored("rnn: {nas: [cell, hidden]}"), "linear": None}
    assert same("rnn: {nas: [cell, hidden]}", version=True)
    del then["rnn"]["params"]["prep.text_letters"]
    assert same("rnn: {nas: [cell, hidden]}")
    assert not same("rnn: {nas: [cell, hidden]}", version=True)
    assert not same("rnn: {nas: [cell]}")
    assert not same("linear: {nas: []}\nrnn: {nas: [cell, hidden]}"), "the file says more now"
    assert not same("rnn: {params: {lr: {type: float, low: 0.001, high: 0.01}}}")
    params = "lr: {type: float, low: 0.001, high: 0.01}"
    then["rnn"] = {**stored(f"rnn: {{{params}}}"), "nas": ["of another version"]}
    assert same(f"rnn: {{{params}}}") and not same(f"rnn: {{{params}}}", version=True)
    then["rnn"] = stored(f"rnn: {{params: {{{params}}}, nas: []}}")
    assert not same("rnn: {nas: []}", version=True), "parameters were left out since"
