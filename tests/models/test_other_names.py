from __future__ import annotations

from collections import Counter

import pytest

from autodl.errors import ConfigError
from autodl.models.base import families


def test_no_two_families_go_by_the_same_name() -> None:
    names = [n.replace("_", "") for f in families.values() for n in (f.key, *f.other_names)]
    assert [n for n, count in Counter(names).items() if count > 1] == []


def test_a_name_that_people_know_leads_to_the_nearest_family() -> None:
    known = [(other, f.key) for f in families.values() for other in f.other_names]
    assert len(known) > len(families)
    for other, key in known:
        for typed in (other, other.replace("_", "-").title()):
            with pytest.raises(ConfigError, match=f"'{typed}'. The nearest that autodl has is '{key}'"):
                families[typed]
