"""Deal the ends of the machine and its OctoPrints in random order."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence

import deaths
import ends
from machine import Setup
from steps import End, set_up
from world import World

KINDS: dict[str, Callable[[World, End], None]] = {**ends.KINDS, **deaths.KINDS}
_PRINTING = ("printing", "printing", "idle", "printed")


def bring_about(world: World, end: End) -> None:
    """Start the machine anew if this kind needs another setup, and shut down or crash what it says."""
    set_up(world, setup_of(end.kind))
    KINDS[end.kind](world, end)


def dealt(count: int, seed: int, pattern: str) -> Iterator[End]:
    """Yield the same ends for the same seed: all kinds and variants in random order, then all again in another.

    A kind is left out unless the regular expression ``pattern`` matches a part of its name. If ``count`` is 0, yield
    each kind once.
    """
    chance = random.Random(seed)
    names = [kind for kind in KINDS if re.search(pattern, kind)]
    if not names:
        raise ValueError(f"no kind matches {pattern!r}")
    kinds, printing = _kinds(chance, names), _dealt(chance, _PRINTING)
    variants = {kind: _dealt(chance, of_kind) for kind, of_kind in ends.VARIANTS.items()}
    for number in range(1, (count or len(names)) + 1):
        kind = next(kinds)
        yield End(number, kind, next(printing), chance.random(), next(variants[kind]) if kind in variants else "")


def setup_of(kind: str) -> Setup:
    """Return what the machine is started with for this kind."""
    return deaths.SETUPS.get(kind, Setup())


def _kinds(chance: random.Random, names: list[str]) -> Iterator[str]:
    """Yield all names in random order forever, but those with one setup together, since another takes a reboot."""
    while True:
        order = {setup: chance.random() for setup in map(setup_of, sorted(names))}
        yield from sorted(chance.sample(names, len(names)), key=lambda kind: order[setup_of(kind)])


def _dealt(chance: random.Random, cards: Sequence[str]) -> Iterator[str]:
    """Yield all cards in random order, and then again in another, forever."""
    while True:
        yield from chance.sample(cards, len(cards))
