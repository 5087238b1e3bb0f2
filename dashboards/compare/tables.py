"""The comparison's three tables: their columns, and their rows from the core's numbers. No widget in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mnuts_dashboards.compare.session import Comparison

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from mnuts_core.bundles.paper import paper_table
from mnuts_dashboards.figures.comparison import PaperGap, signed
from mnuts_dashboards.text.numbers import alpha_text
from mnuts_dashboards.widgets.table import Column

if TYPE_CHECKING:
    from mnuts_core.functional.statistics import Estimate
    from mnuts_core.views.comparison import Summary
    from mnuts_core.views.transfer_matrix import Best, Transfer

Row = dict[str, Any]
N = Column("n", "n", numeric=True, help="Clean images, below them the attacked ones")
FACTS = (
    Column("bundle", "bundle", help="Click a row to highlight its bundle in the plots"),
    Column("models", "models h, g", help="The robust model h, below it the standard model g"),
    Column("threat", "threat model", help="Norm and radius of the perturbations, for pixels in [0, 1]"),
    Column("attack", "margins from", help="Which attack found the margins, and whether it used gradients"),
    N,
    Column("std_clean", "g clean %", numeric=True, digits=2, help="Clean accuracy of the standard model"),
    Column("rob_clean", "h clean %", numeric=True, digits=2, help="Clean accuracy of the robust model"),
    Column(
        "rob_attacked",
        "h attacked %",
        numeric=True,
        digits=2,
        help="Accuracy of the robust model under this attack; blank without an attacked part",
    ),
)
BEST = (
    Column("bundle", "bundle"),
    Column("s", "s", numeric=True, digits=3, help="Scale"),
    Column("c", "c", numeric=True, digits=3, help="Bias"),
    Column("p", "p", numeric=True, digits=3, help="Power"),
    Column("alpha", "α", numeric=True, help="Mixing weight 1/(1+q)"),
    Column(
        "objective", "objective %", numeric=True, digits=1, help="Wrong clean images that keep a margin ≥ q"
    ),
    Column("ties", "ties", numeric=True, help="Other cells with the same objective"),
    Column("remarks", "remarks"),
)
TRANSFERS = (
    Column("source", "best s, p, c of"),
    Column("target", "applied to"),
    Column("alpha", "α", numeric=True, help="The mixing weight in force, see the line above"),
    N,
    Column("clean", "clean %", numeric=True, digits=2, help="Exact on these images"),
    Column("clean_loss", "loss", numeric=True, digits=2, help="In points, against the bundle's own best"),
    Column(
        "attacked",
        "attacked %",
        numeric=True,
        digits=2,
        help="At most: the mix is right at every attacked point of the bundle, and without an attack",
    ),
    Column("attacked_loss", "loss", numeric=True, digits=2, help="In points, against the bundle's own best"),
    Column(
        "by_margin",
        "by margin %",
        numeric=True,
        digits=2,
        help="M(h) right with margin ≥ (1-α)/α at every attacked point (Eq. 7)",
    ),
    Column("by_margin_loss", "loss", numeric=True, digits=2, help="In points, against the bundle's own best"),
)


def fact_rows(summaries: Mapping[str, Summary]) -> list[Row]:
    """One row a bundle: what its figures rest on."""
    rows = []
    for number, (name, facts) in enumerate(summaries.items()):
        row: Row = {"key": number, "bundle": name, "bundle_more": facts.data, "bundle_tip": facts.data}
        row |= {"models": facts.rob_model, "models_more": facts.std_model}
        row |= {"threat": facts.threat or "not recorded", "threat_more": f"{facts.classes:,} classes"}
        row |= {"attack": _attack(facts), "attack_more": facts.budget, "attack_tip": facts.attack}
        row |= _n(facts.n_clean, facts.n_adv)
        for field in ("std_clean", "rob_clean", "rob_attacked"):
            row |= _cell(field, getattr(facts.base, field))
        rows.append(row)
    return rows


def _attack(facts: Summary) -> str:
    """The attack in short: its name up to the first mark, and whether it used gradients."""
    name = facts.attack.partition(":")[0].partition(",")[0] or "not recorded"
    if facts.kind == "none":
        return "no attacked part"
    return name if facts.kind == "not recorded" else f"{name}, {facts.kind}"


def best_rows(names: Sequence[str], best: Mapping[str, Best]) -> list[Row]:
    """One row a bundle that has best parameters."""
    rows = []
    for number, name in enumerate(names):
        if name in best:
            found = best[name]
            row: Row = {"key": number, "bundle": name, "ties": found.ties}
            row |= {axis: getattr(found.params, axis) for axis in ("s", "c", "p")}
            row |= _alpha(found.params.alpha) | {"alpha_more": f"q = {found.quantile:.4g}"}
            row |= {"objective": 100 * found.objective, "objective_more": f"of {found.n_wrong:,} wrong clean"}
            rows.append(row | {"remarks": "; ".join(found.warnings)})
    return rows


def transfer_rows(cells: Sequence[Transfer]) -> list[Row]:
    """One row a pair, numbered as the pairs are."""
    rows = []
    for number, cell in enumerate(cells):
        row: Row = {"key": number, "source": cell.source, "target": cell.target}
        row |= {"alpha": ""} if cell.params is None else _alpha(cell.params.alpha)
        if cell.clean is not None:
            row |= _n(cell.clean.n, 0 if cell.attacked is None else cell.attacked.n)
        for field in ("clean", "attacked", "by_margin"):
            row |= _cell(field, getattr(cell, field))
            loss = getattr(cell, f"{field}_loss")
            row[f"{field}_loss"] = None if loss is None else 100 * loss + 0.0
        own = ["own best"] if cell.source == cell.target else []
        rows.append(row | {"target_more": cell.refused or "; ".join([*own, *cell.warnings])})
    return rows


def _alpha(alpha: float | None) -> Row:
    return {"alpha": alpha_text(alpha or 1.0), "alpha_sort": alpha or 1.0}


def _n(clean: int, attacked: int) -> Row:
    return {
        "n": f"{clean:,}",
        "n_sort": clean,
        "n_more": f"{attacked:,}",
        "n_tip": f"{clean:,} clean and {attacked:,} attacked images",
    }


def _cell(name: str, estimate: Estimate | None) -> Row:
    if estimate is None:
        return {name: None}
    low, high = estimate.interval
    return {
        name: 100 * estimate.value,
        f"{name}_more": f"{100 * low:.1f} to {100 * high:.1f}",
        f"{name}_tip": f"{estimate.kind}, n = {estimate.n:,}",
    }


@cache
def paper_gaps() -> tuple[PaperGap, ...]:
    """The margin gaps of the paper's models, as printed in its Fig. 7."""
    norms = {"Linf": "ℓ∞", "L2": "ℓ2"}
    sets = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "imagenet": "ImageNet"}
    gaps = []
    for row in paper_table("fig07").itertuples():
        where = f"{sets.get(str(row.dataset), row.dataset)} {norms[str(row.norm)]}"
        gaps.append(PaperGap(f"{_author(str(row.robust_model))}, {where}", _float(row.margin_gap)))
    return tuple(gaps)


def _author(model: str) -> str:
    """A reference in short: `Peng et al. (2023)` as `Peng 2023`."""
    return model.replace(" et al.", "").replace("(", "").replace(")", "")


def _float(value: object) -> float:
    """A number of a data frame's row, whose type pandas leaves open."""
    return float(str(value))


def paper_best() -> str:
    """The paper's own Table 11 in a sentence."""
    best = [
        f"{row.robust_model} s = {row.s:g}, c = {signed(_float(row.c), 1)}, p = {row.p:g}"
        for row in paper_table("table11").itertuples()
    ]
    return f"The paper's Table 11, three CIFAR-10 models at β = 0.985: {'; '.join(best)}."


INTERVALS = "Below each accuracy its 95 % interval (Wilson)."

ALPHA_WORDS = {
    "target": "α recomputed on the bundle applied to: 1/(1+q), q the (1−β)-quantile of M(h)'s margins at its "
    "own attacked points; the accuracy by margin then keeps the share β there by construction.",
    "source": "α kept, as s, p, c are: nothing is measured on the other bundle, so β need not hold there.",
}


def words(result: Comparison) -> list[str]:
    """What a reader must know before comparing."""
    if not result.settings.bundles:
        return ["Choose bundles on the left, or add one."]
    lines = list(result.notes)
    if len(result.settings.bundles) == 1:
        lines.append("Only one bundle is chosen: choose or add another to compare it with.")
    return lines


NOTES = {
    "medians": "As in the paper's Fig. 7, with 95 % intervals. On top: the margin gap, attacked right minus "
    "clean wrong. g's striped bars are at h's points, not attacked itself. Right and wrong are each "
    "classifier's own. Hover for n, click to highlight a bundle",
    "gaps": "Attacked right minus clean wrong; grey: the paper's models, as printed in Fig. 7",
}


def remarks(result: Comparison) -> dict[str, str]:
    """The line above each table."""
    chosen = f"At β = {result.settings.beta:g}, each chosen on its bundle's own images."
    return {
        "facts": INTERVALS,
        "best": f"{chosen} {paper_best()}",
        "transfers": f"{ALPHA_WORDS[result.settings.alpha]} {INTERVALS} "
        "Losses in points, negative for a gain.",
    }


def matrix_note(result: Comparison) -> str:
    """The small line under the matrix's title."""
    return (
        f"{ALPHA_WORDS[result.settings.alpha]} Attacked accuracy is an upper bound. A bundle's own "
        "best was chosen on these very images, which flatters it a little (Table 11, D.5)"
    )
