"""How many things somebody has to guess to have a password: words, walks on the keyboard, years,
and what is left, character by character. Pure.

    "Summer2026!!"  ─▶  summer · 2026 · !!     3, which is few
    "1q2w3e4r5t6y"  ─▶  one walk               1
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

__all__ = ["guesses"]

_MOST_READ: Final = 40
"""Of a password that is longer, its beginning is enough to tell."""

_COMMON: Final = """
password passwort passwd motdepasse contraseña senha parola haslo heslo
letmein welcome willkommen bienvenue hello hallo bonjour hola login logon signin access enter
admin administrator root user guest test testing tester default changeme change secret geheim
private master server system computer internet network database backup service manager boss
orgboard tensorboard tensorflow pytorch training machine learning deeplearning neural model
company office work working business team project research lab science data
correct horse battery staple trustno iloveyou love loveyou lovely lover ilove sweet sweetheart
baby babygirl honey angel princess prince queen king princesa schatz liebe amour amor corazon
summer winter spring autumn fall sommer herbst fruhling frühling hiver printemps verano
january february march april may june july august september october november december januar
februar märz mai juni juli oktober dezember
monday tuesday wednesday thursday friday saturday sunday montag freitag samstag sonntag
today tomorrow yesterday weekend holiday christmas easter birthday vacation
dragon monkey tiger lion eagle falcon panther horse kitty kitten cat dog doggy puppy bear wolf
shark dolphin butterfly spider snake turtle rabbit bunny chicken mustang bulldog hunter
football soccer baseball basketball hockey tennis golf rugby cricket fussball futbol sports
liverpool arsenal chelsea manchester united city barcelona madrid juventus bayern dortmund
celtic rangers yankees lakers cowboys steelers eagles packers
michael jordan michelle jennifer jessica ashley amanda nicole daniel andrew joshua
matthew anthony robert thomas charlie george william james john david alex alexander andrea
anna maria julia laura sarah sophie emma lisa peter paul martin stefan christian sebastian
pierre marie carlos jose juan antonio
superman batman spiderman starwars pokemon naruto minecraft matrix gandalf hogwarts harry potter
jedi skywalker vader
sunshine rainbow flower rose lily jasmine cherry banana apple orange lemon peach chocolate
cookie coffee pizza cheese butter pepper ginger sugar candy vanilla
purple yellow green blue red black white silver golden gold diamond crystal
freedom liberty happy smile lucky peace heaven jesus christ god bless faith hope spirit
shadow killer ninja warrior soldier pirate phantom ghost thunder storm lightning fire ice
power magic wizard mystery forever always never nothing whatever something
london paris berlin munich vienna zurich newyork boston chicago dallas texas california america
england germany france spain italy deutschland canada australia europe world
porsche ferrari mercedes yamaha honda toyota harley corvette camaro samsung google apple
facebook twitter instagram youtube amazon microsoft windows linux android iphone nokia
guitar music piano dance rock metal metallica nirvana eminem beatles elvis
money dollar rich million winner player gamer games game number first
abc abcd qwerty qwertz azerty qwertyuiop asdf asdfghjkl zxcvbn zxcvbnm qazwsx
please open sesame opensesame blink
"""
"""What people take for passwords: of the seasons, of sports, of names, of what is on the desk."""

_WORDS: Final = frozenset(_COMMON.split())

_ROWS: Final = ("`1234567890-=", " qwertyuiop[]", " asdfghjkl;'", " zxcvbnm,./")
_ORDERS: Final = ("abcdefghijklmnopqrstuvwxyz", "01234567890")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_ENDING: Final = re.compile(r"[\W\d_]{2}")
_LOOKALIKES: Final = (
    str.maketrans("@4031$57!8", "aaoeissti" + "b"),
    str.maketrans("@4031$57!8", "aaoelsstl" + "b"),
)
"""What is typed in place of letters; a 1 is an i or an l."""

_LEAST_WALK: Final = 4
_LEAST_ORDER: Final = 3


def guesses(password: str, name: str) -> int:
    """Return of how many things this is made that are guessed one by one.

    Both are folded as names are compared; `name`: whose it is to be.
    """
    read = _unit(password[:_MOST_READ])
    words = _WORDS | {name} if len(name) > 1 else _WORDS
    spellings = (read, *(read.translate(table) for table in _LOOKALIKES))
    least = [0] * (len(read) + 1)
    for end in range(1, len(read) + 1):
        # Each character by itself, or what ends here and is one thing.
        ways = [least[end - 1]]
        for start in range(end - 1):
            parts = (text[start:end] for text in spellings)
            if _is_simple(read[start:end]) or any(part in words for part in parts):
                ways.append(least[start])
        least[end] = min(ways) + 1
    return least[-1]


def _unit(text: str) -> str:
    """Return what a text says over and over, once."""
    for size in range(1, len(text) // 2 + 1):
        if all(text[at] == text[at % size] for at in range(len(text))):
            return text[:size]
    return text


def _is_simple(part: str) -> bool:
    """Tell whether this is a year, one character again and again, a walk, or what words end in."""
    if len(set(part)) == 1 or _YEAR.fullmatch(part) or _ENDING.fullmatch(part):
        return True
    pairs = list(pairwise(part))
    if len(part) >= _LEAST_ORDER and any(
        all(pair in steps for pair in pairs) for steps in _IN_ORDER
    ):
        return True
    return len(part) >= _LEAST_WALK and all(pair in _BESIDE for pair in pairs)


def _steps(order: str) -> Iterator[frozenset[tuple[str, str]]]:
    """Give the steps up an order, and those down; to stay where one is counts for both."""
    stay = {(one, one) for one in order}
    up = set(pairwise(order))
    yield frozenset(up | stay)
    yield frozenset({(after, one) for one, after in up} | stay)


def _beside() -> Iterator[tuple[str, str]]:
    """Give the pairs of keys that lie beside each other, and each with itself."""
    lie = {key: (row, at) for row, keys in enumerate(_ROWS) for at, key in enumerate(keys)}
    del lie[" "]
    for one, (row, at) in lie.items():
        for other, (its_row, its_at) in lie.items():
            if abs(row - its_row) <= 1 and abs(at - its_at) <= 1:
                yield one, other


_IN_ORDER: Final = tuple(steps for order in _ORDERS for steps in _steps(order))
_BESIDE: Final = frozenset(_beside())
