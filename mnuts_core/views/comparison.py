"""Several bundles side by side: their median margins (Fig. 7), and what their figures rest on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.functional.statistics import Estimate, columns, median
from mnuts_core.params import MixParams
from mnuts_core.remix.answers import BaseFigures
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.views.found_by import AttackKind, found_by
from mnuts_core.views.own_points import OwnPoints, base_points, of_transform

if TYPE_CHECKING:
    import pandas as pd


class Medians(NamedTuple):
    """One classifier's four median margins (Fig. 7); the attacked ones are None without an attacked part.

    Attacked images stand at the classifier's own points (see `own_points`); `attacked_itself` is False for g
    where no attack on it is among them.
    """

    clean_right: Estimate
    clean_wrong: Estimate
    attacked_right: Estimate | None = None
    attacked_wrong: Estimate | None = None
    attacked_itself: bool = True

    @property
    def groups(self) -> dict[str, Estimate]:
        """The medians that there are, by their names here."""
        figures = zip(self._fields, self, strict=True)
        return {name: figure for name, figure in figures if isinstance(figure, Estimate)}

    @property
    def gap(self) -> float:
        """The margin gap of Fig. 6 and 7: attacked right minus clean wrong; NaN if either is missing."""
        return math.nan if self.attacked_right is None else self.attacked_right.value - self.clean_wrong.value


class Summary(NamedTuple):
    """What a bundle's figures rest on.

    Attributes:
        data: Data set and part.
        classes: K.
        std_model, rob_model: Their specs.
        threat: Norm and ε; empty if not recorded.
        attack: The attack's name as recorded; empty if there is none.
        budget: Its steps, targets or queries, as far as recorded.
        kind: Whether gradients were used (MMAA: white box) or queries only (Square: black box).
        n_clean, n_adv: How many images.
        base: Accuracies of the two models by themselves.
    """

    data: str
    classes: int
    std_model: str
    rob_model: str
    threat: str
    attack: str
    budget: str
    kind: AttackKind
    n_clean: int
    n_adv: int
    base: BaseFigures


def margin_medians(engine: RemixEngine, params: MixParams | None = None) -> dict[str, Medians]:
    """Median margins of g, h, LN∘h and, with parameters, M(h) (Fig. 7; there LN∘h only).

    Right and wrong are each classifier's own: g's for g, M(h)'s for M(h).

    Args:
        engine: The engine of a bundle.
        params: The transform of M(h), or None to leave it out.
    """
    points = base_points(engine)
    if params is not None:
        points["M(h)"] = of_transform(engine, params)
    return {name: _groups(engine, own) for name, own in points.items()}


def _groups(engine: RemixEngine, points: OwnPoints) -> Medians:
    n, (margins, right, itself) = engine.n_clean, points
    clean, attacked = (
        (median(margins[part][right[part]]), median(margins[part][~right[part]]))
        for part in (slice(0, n), slice(n, None))
    )
    groups = Medians(*clean, attacked_itself=itself)
    if not engine.bundle.n_adv:
        return groups
    return groups._replace(attacked_right=attacked[0], attacked_wrong=attacked[1])


def summary(engine: RemixEngine) -> Summary:
    """What a bundle's figures rest on."""
    bundle, card, found = engine.bundle, engine.bundle.manifest, found_by(engine.bundle)
    return Summary(
        data=" ".join(filter(None, [card.data.name, card.data.split])),
        classes=bundle.num_classes,
        std_model=card.std_model.spec,
        rob_model=card.rob_model.spec,
        threat=str(card.threat or ""),
        attack=found.name,
        budget=found.budget,
        kind=found.kind,
        n_clean=bundle.n_clean,
        n_adv=bundle.n_adv,
        base=engine.base,
    )


def comparison_warnings(bundles: Mapping[str, LogitBundle]) -> tuple[str, ...]:
    """What makes several bundles' figures not directly comparable, one sentence each.

    Args:
        bundles: The bundles by name.
    """
    lines = [
        f"{what}: {_grouped(values)}. {meaning}"
        for what, values, meaning in (
            (
                "Numbers of classes differ",
                {name: f"{bundle.num_classes}" for name, bundle in bundles.items()},
                "Margins shrink with the number of classes, so best parameters need not carry over.",
            ),
            (
                "Threat models differ",
                {name: f"{bundle.manifest.threat or 'not recorded'}" for name, bundle in bundles.items()},
                "Figures under attack compare within a bundle, not across.",
            ),
            (
                "Attacks differ",
                {name: found_by(bundle).kind for name, bundle in bundles.items() if bundle.n_adv},
                "A weaker attack leaves larger margins: figures under attack then read too high.",
            ),
            (
                "Images differ",
                {name: bundle.manifest.data.name for name, bundle in bundles.items()},
                "Accuracies compare within a data set.",
            ),
        )
        if len(set(values.values())) > 1
    ]
    first: dict[str, str] = {}
    for name, bundle in bundles.items():
        if (twin := first.setdefault(bundle.digest, name)) != name:
            lines.append(f"{twin} and {name} hold the very same numbers.")
    return tuple(lines)


def _grouped(values: Mapping[str, str]) -> str:
    """Names by their value, such as `10 (digits, cifar10); 100 (cifar100)`."""
    names: dict[str, list[str]] = {}
    for name, value in values.items():
        names.setdefault(value, []).append(name)
    return "; ".join(f"{value} ({', '.join(members)})" for value, members in names.items())


def summaries_frame(summaries: Mapping[str, Summary]) -> pd.DataFrame:
    """One row a bundle: data, models, threat, attack, and the base models' accuracies with n and interval."""
    import pandas as pd

    rows = []
    for name, facts in summaries.items():
        row: dict[str, Any] = {"bundle": name} | facts._asdict()
        base = row.pop("base")
        for field in ("std_clean", "rob_clean", "rob_attacked"):
            row |= columns(field, getattr(base, field))
        rows.append(row)
    return pd.DataFrame(rows)


def medians_frame(medians: Mapping[str, Mapping[str, Medians]]) -> pd.DataFrame:
    """One row a bundle, classifier and group: median margin, 95 % interval, n, and the classifier's gap.

    Args:
        medians: `margin_medians` by the bundle's name.
    """
    import pandas as pd

    rows = []
    for name, classifiers in medians.items():
        for classifier, medians_of in classifiers.items():
            same: dict[str, Any] = {"gap": medians_of.gap, "attacked_itself": medians_of.attacked_itself}
            for group, figure in medians_of.groups.items():
                images, predicted = group.split("_")
                row = {"bundle": name, "classifier": classifier, "images": images, "predicted": predicted}
                numbers = {"median": figure.value, "low": figure.low, "high": figure.high, "n": figure.n}
                rows.append(row | numbers | same)
    return pd.DataFrame(rows)
