"""A setting, declared once with its trait: its control and its word in links are made from this."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import traitlets as tr

from mnuts_core.clamps import CLAMPS, DEFAULT_CLAMP, Clamp
from mnuts_core.errors import ParameterError
from mnuts_core.params import ParamSpec
from mnuts_dashboards.widgets.entries import read_number, read_whole
from mnuts_dashboards.widgets.query import FROM_LINK, one_of

T = TypeVar("T")
State = TypeVar("State", bound=tr.HasTraits)
Choices = tuple[tuple[str, Any], ...]
"""What can be chosen: what each is called on the page, and its value."""
METADATA = "setting"


class Whole(NamedTuple):
    """Whole numbers from `low` on, up to `high` if there is an end."""

    low: int
    high: int | None

    def read(self, word: str, text: str) -> int:
        """The number that a link has.

        Raises:
            ParameterError: If it is none of these.
        """
        try:
            number = read_whole(text)
        except ValueError:
            number = self.low - 1
        if number < self.low or (self.high is not None and number > self.high):
            end = "" if self.high is None else f" to {self.high}"
            raise ParameterError(f"{word} must be a whole number from {self.low}{end}, got {text[:40]!r}")
        return number


class Line(NamedTuple):
    """A line of text of at most so many characters."""

    most: int

    def read(self, word: str, text: str) -> str:
        """The line that a link has.

        Raises:
            ParameterError: If it is none of these.
        """
        if len(text) > self.most or any(unicodedata.category(one) == "Cc" for one in text):
            raise ParameterError(
                f"{word} must be one line of at most {self.most} characters, got {text[:40]!r}"
            )
        return text


@dataclass(frozen=True)
class Setting:
    """What is declared of a setting, beside its default.

    Attributes:
        word: Its name in links.
        read: Its value from a link's text; raises `ParameterError`.
        write: The text for its value.
        values: What it may be, which says by what it is set: a slider, a box, a field or a dropdown; None
            where the app makes a control of another kind.
        label: Its name on the page.
        help: What it does, in one sentence.
        group: The heading under which its control stands; empty where the app places it by itself.
    """

    word: str
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str
    values: ParamSpec | Whole | Line | Choices | None = None
    label: str = ""
    help: str = ""
    group: str = ""


Trait = TypeVar("Trait", bound=tr.TraitType[Any, Any])


def declared(trait: Trait, setting: Setting) -> Trait:
    """A trait with what is declared of it as a setting.

    Args:
        trait: The trait.
        setting: What is declared.
    """
    return trait.tag(**{METADATA: setting})


def number(spec: ParamSpec, *, group: str = "", word: str = "") -> tr.Float[float, int | float]:
    """A number, set by a slider with a box.

    Args:
        spec: Its interval, default, step, label and help.
        group: See `Setting`.
        word: See `Setting`; the spec's name if empty.
    """

    def read(text: str) -> float:
        return read_number(spec, text, FROM_LINK)

    made = Setting(word or spec.name, read, shortest, spec, spec.label, spec.help, group)
    return declared(tr.Float(spec.default), made)


def whole(
    default: int, low: int, high: int | None = None, *, word: str, label: str, help: str, group: str = ""
) -> tr.Int[int, int]:
    """A whole number, set in a box.

    Args:
        default: The value to begin with.
        low: The least.
        high: The largest; None if there is none.
        word: See `Setting`.
        label: See `Setting`.
        help: See `Setting`.
        group: See `Setting`.
    """
    values = Whole(low, high)
    made = Setting(word, lambda text: values.read(word, text), str, values, label, help, group)
    return declared(tr.Int(default, min=low, max=high), made)


def line(most: int, *, word: str, label: str, help: str) -> tr.Unicode[str, str | bytes]:
    """A line of text, empty to begin with.

    Args:
        most: So many characters at most.
        word: See `Setting`.
        label: See `Setting`.
        help: See `Setting`.
    """
    values = Line(most)
    made = Setting(word, lambda text: values.read(word, text), str, values, label, help)
    return declared(tr.Unicode(), made)


def choice(
    options: Sequence[tuple[str, T]], default: T, *, word: str, label: str, help: str, group: str = ""
) -> tr.Enum[T]:
    """One of several, chosen in a dropdown.

    Args:
        options: What each is called on the page, and its value, which links write by `str`.
        default: The value to begin with.
        word: See `Setting`.
        label: See `Setting`.
        help: See `Setting`.
        group: See `Setting`.
    """
    values = {str(value): value for _, value in options}

    def read(text: str) -> T:
        return values[one_of(word, text, values)]

    made = Setting(word, read, str, tuple(options), label, help, group)
    return declared(tr.Enum(tuple(values.values()), default_value=default), made)


def clamp_choice(*, group: str = "") -> tr.Enum[Clamp]:
    """The clamping function, which more than one app lets choose.

    Args:
        group: See `Setting`.
    """
    options = [(name, name) for name in CLAMPS]
    help = "Clamping function (Eq. 4, D.2)"
    return choice(options, DEFAULT_CLAMP, word="clamp", label="clamp", help=help, group=group)


def settings_of(state: type[tr.HasTraits] | tr.HasTraits) -> dict[str, Setting]:
    """The settings that are declared in a state, by name, in their order.

    Args:
        state: The state, or its class.
    """
    kind = state if isinstance(state, type) else type(state)
    traits = ((name, trait) for name, trait in vars(kind).items() if isinstance(trait, tr.TraitType))
    return {name: trait.metadata[METADATA] for name, trait in traits if METADATA in trait.metadata}


def state_of(kind: type[State], values: Mapping[str, object]) -> State:
    """A state with the values that a page sent.

    Args:
        kind: What state.
        values: By trait: anything.

    Raises:
        ParameterError: If a trait does not allow its value.
    """
    try:
        return kind(**values)
    except (tr.TraitError, TypeError, ValueError, OverflowError) as error:
        raise ParameterError(f"the page sent a value that is not allowed: {error}") from None


def shortest(value: float) -> str:
    """The shortest text that reads back as the very same number."""
    return repr(value).removesuffix(".0")
