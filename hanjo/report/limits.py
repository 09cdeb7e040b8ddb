"""The limits that judged a run, by profile, from its resolved recipe and the packages' profiles; for the report."""

from __future__ import annotations

from dataclasses import fields

from corpus.errors import RecipeError, StaleError
from corpus.profiles import DEFAULT, Limits
from corpus.registers import NAMES
from corpus.rules import AUTO, PASSTHROUGH, DecideSettings
from hanjo.report.facts import Facts


def limits_in_use(facts: Facts) -> dict[str, Limits]:
    """Profile → limits, of the profiles that some source of the run may be judged by; the usual one first.

    Raises:
        StaleError: the recipe names a profile that this version does not have.
    """
    said = facts.recipe.get("decide")
    if not isinstance(said, dict):
        return {}
    known = {field.name for field in fields(DecideSettings)}
    try:
        settings = DecideSettings(**{name: value for name, value in said.items() if name in known})
        limits = settings.limits()
    except (ValueError, RecipeError) as error:
        where = str(facts.run / "recipe.yaml")
        raise StaleError(f"decide: {error}", where=where, fix="run the recipe again with this version") from error
    named = [settings.profile, *settings.profiles.values()]
    used = [DEFAULT, *NAMES] if AUTO in named else []
    used += [name for name in named if name not in (AUTO, PASSTHROUGH)]
    usual = [DEFAULT] if settings.profile in (AUTO, PASSTHROUGH) else [settings.profile]
    return {name: limits[name] for name in dict.fromkeys(usual + used)}


def others(limits: dict[str, Limits], limit: str) -> dict[str, float]:
    """Profile → value of one limit, of the profiles where it is not that of the usual one."""
    first, *rest = limits
    return {name: limits[name][limit] for name in rest if limits[name][limit] != limits[first][limit]}
