"""The authors' `optimal_spca.yaml`: best transforms and weights by data set, robust model, clamp and level.

    cifar10:
      Peng2023Robust:
        gelu:
          default_beta: 98.5
          98.5: {s: 5.0, c: -1.1, p: 4.0, alpha: 0.99875}
        none:
          default_beta: 95.0
          95.0: {alpha: 0.95705}

Levels are in percent there. Under `none` stand plain mixes; their default's α is α_d of the auxiliary
classifier (Eq. 8, B.2.1). LN's top-k and the temperature stand in no such file: the authors' scripts take
k = 250, and T = 0 for a transform, but T = 1 for a plain mix.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from mnuts_core.clamps import CLAMPS
from mnuts_core.errors import ConfigError, ParameterError
from mnuts_core.export.cards import AuxiliaryCard
from mnuts_core.export.config import MixConfig
from mnuts_core.io.blocks import Block, blocks_of, choose
from mnuts_core.io.yaml_text import number, read_yaml, yaml_text
from mnuts_core.params import IDENTITY, LN_K_DEFAULT, LN_ONLY, PARAMS, MixParams
from mnuts_core.text import shortened

DEFAULT = "default_beta"
NONE = "none"


class Spca(NamedTuple):
    """One transform with its weight, as it stands in such a file.

    Attributes:
        name: Where: data set, robust model, clamp.
        beta: The level, in [0, 1].
        config: The mix; with α_d, where the file has one for its robust model.
    """

    name: str
    beta: float
    config: MixConfig


def read_spca(path: str | os.PathLike[str], entry: str | None = None, *, beta: float | None = None) -> Spca:
    """One mix of a file like `optimal_spca.yaml`.

    Args:
        path: The file.
        entry: Data set, robust model and clamp, such as `cifar10/Peng2023Robust/gelu`, or their beginning;
            a transform comes before a plain mix, where both would do.
        beta: The level, in [0, 1]; the file's default if None.

    Raises:
        ConfigError: If the file is missing or broken, or has no such mix.
        ParameterError: If the level lies outside.
    """
    where = str(path)
    beta = None if beta is None else PARAMS["beta"].check(beta)
    blocks = blocks_of(read_yaml(path, ConfigError), where, ConfigError)
    wanted = entry.split("/") if entry else []
    transforms = [block for block in blocks if block.place[-1] != NONE]
    block = choose(blocks if len(wanted) > 2 else transforms or blocks, entry, where, ConfigError)
    level, values = _level(block, beta, where)
    params = _params(block, values, f"{where} at {block.name}")
    config = MixConfig.from_params(params, beta=level)
    auxiliary = _auxiliary([each for each in blocks if each.place[:-1] == block.place[:-1]], where)
    return Spca(block.name, level, config.model_copy(update={"auxiliary": auxiliary}))


def spca_text(config: MixConfig, dataset: str, rob_model: str) -> str:
    """A mix as such a file has it.

    Args:
        config: The mix, with a level β.
        dataset: The authors' name of the data set, such as `cifar10`.
        rob_model: RobustBench's name of the robust model.

    Raises:
        ConfigError: If such a file cannot say what the mix is.
    """
    params = config.params
    if config.beta is None:
        raise ConfigError(
            "optimal_spca.yaml names a mix by its level β, and α was set by hand: set β instead"
        )
    plain = params.plain
    temperature = 1.0 if plain else 0.0
    if params.temperature != temperature:
        kind = "a plain mix" if plain else "a transform"
        raise ConfigError(
            f"the authors' scripts use T = {temperature:g} for {kind}, and their file has no place for "
            f"another: this mix has T = {params.temperature:g}"
        )
    if not plain and params.ln_k != LN_K_DEFAULT:
        raise ConfigError(
            f"the authors' file has no place for ln_k: it must be {LN_K_DEFAULT}, got {params.ln_k}"
        )
    level = _percent(config.beta)
    weight = {"alpha": config.alpha}
    blocks: dict[str, Any] = {}
    if not plain:
        values = {"s": params.s, "c": params.c, "p": params.p} | weight
        blocks[params.clamp] = {DEFAULT: level, level: values}
    if plain:
        blocks[NONE] = {DEFAULT: level, level: weight}
    elif config.auxiliary is not None:
        auxiliary = config.auxiliary
        level = level if auxiliary.beta is None else _percent(auxiliary.beta)
        blocks[NONE] = {DEFAULT: level, level: {"alpha": auxiliary.alpha_d}}
    return yaml_text({dataset: {rob_model: blocks}})


def _level(block: Block, beta: float | None, where: str) -> tuple[float, Mapping[str, Any]]:
    """A level of a block, in [0, 1], and what stands there."""
    content = block.content
    if not isinstance(content, Mapping):
        raise ConfigError(f"{where} must have levels at {block.name}, got {shortened(content)}")
    levels = {number(name): inside for name, inside in content.items() if name != DEFAULT}
    wanted = number(content.get(DEFAULT)) if beta is None else _percent(beta)
    asked = DEFAULT if beta is None else f"level {wanted:g}"
    if wanted is None or wanted not in levels:
        known = ", ".join(f"{level:g}" for level in levels if level is not None)
        raise ConfigError(
            f"{where} has no {asked} at {block.name}: it has {known or 'no level'} (in percent)"
        )
    inside = levels[wanted]
    if not isinstance(inside, Mapping):
        raise ConfigError(
            f"{where} must have s, p, c and alpha at {block.name}/{wanted:g}, got {shortened(inside)}"
        )
    try:
        return PARAMS["beta"].check(round(wanted / 100, 12)), inside
    except ParameterError:
        raise ConfigError(
            f"{where}: levels must lie in [0, 100] percent, got {wanted:g} at {block.name}"
        ) from None


def _params(block: Block, values: Mapping[str, Any], where: str) -> MixParams:
    kind = block.place[-1]
    names = {"ts": ("s",), "ln": (), NONE: (), "linear": ("s", "p")}.get(kind, ("s", "p", "c"))
    if kind not in (*CLAMPS, "ts", "ln", NONE):
        raise ConfigError(f"{where}: the clamp must be one of {', '.join(CLAMPS)}, ts, ln, none")
    found = {}
    for name in (*names, "alpha"):
        value = number(values.get(name))
        if value is None:
            raise ConfigError(f"{where} must have a number for {name}, got {shortened(values.get(name))}")
        found[name] = value
    base = {"ts": IDENTITY, "ln": LN_ONLY, NONE: IDENTITY.with_(temperature=1.0), "linear": LN_ONLY}.get(kind)
    try:
        return base.with_(**found) if base else MixParams(clamp=kind, **found)  # type: ignore[arg-type]
    except ParameterError as error:
        raise ConfigError(f"{where}: {error}") from None


def _auxiliary(blocks: list[Block], where: str) -> AuxiliaryCard | None:
    """α_d: the weight of the plain mix at its default level."""
    for block in blocks:
        if block.place[-1] == NONE:
            level, values = _level(block, None, where)
            try:
                return AuxiliaryCard(alpha_d=PARAMS["alpha"].check(number(values.get("alpha"))), beta=level)
            except (ParameterError, ValidationError) as error:
                raise ConfigError(f"{where} at {block.name}: {error}") from None
    return None


def _percent(beta: float) -> float:
    """A level in percent, without the last bits that multiplying leaves.

    Example:
        >>> _percent(0.57), 100 * 0.57
        (57.0, 56.99999999999999)
    """
    return round(100 * beta, 10)
