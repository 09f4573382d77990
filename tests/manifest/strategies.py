"""DynamoDB items for hypothesis: every type, nested, at the limits."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

text = st.text(alphabet=st.characters(codec="utf-8"), max_size=8)
names = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=5)
binary = st.binary(max_size=9).map(lambda data: base64.b64encode(data).decode())


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """A number that DynamoDB holds, spelled plainly or with an exponent."""
    digits = draw(st.integers(min_value=0, max_value=10**38 - 1))
    adjusted = draw(st.integers(min_value=-130, max_value=125)) if draw(st.booleans()) else len(str(digits)) - 1
    # Built, not computed: arithmetic would round to the context's 28 digits.
    value = Decimal((0, tuple(map(int, str(digits))), adjusted - len(str(digits)) + 1))
    return draw(st.sampled_from((f"{value:f}", f"{value:E}", f"-{value:f}")))


def distinct_by_value(values: list[str]) -> list[str]:
    """The first spelling of each number."""
    return list({Decimal(value): value for value in values}.values())


scalars: st.SearchStrategy[dict[str, Any]] = st.one_of(
    text.map(lambda v: {"S": v}),
    numbers().map(lambda v: {"N": v}),
    binary.map(lambda v: {"B": v}),
    st.booleans().map(lambda v: {"BOOL": v}),
    st.just({"NULL": True}),
    st.lists(text, min_size=1, max_size=4, unique=True).map(lambda v: {"SS": v}),
    st.lists(binary, min_size=1, max_size=4, unique=True).map(lambda v: {"BS": v}),
    st.lists(numbers(), min_size=1, max_size=4).map(lambda v: {"NS": distinct_by_value(v)}),
)
values: st.SearchStrategy[dict[str, Any]] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda v: {"L": v}),
        st.dictionaries(names, inner, max_size=3).map(lambda v: {"M": v}),
    ),
    max_leaves=6,
)
items: st.SearchStrategy[dict[str, Any]] = st.builds(
    lambda key, rest: {**rest, "id": {"S": key}}, text, st.dictionaries(names, values, max_size=4)
)
"""Items whose key is `id`, a string."""
