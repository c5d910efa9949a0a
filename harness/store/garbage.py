"""Trials that no claim of today can read: what may be deleted from a store."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.errors import ClaimsError
from harness.seeds import Seed
from harness.store.cells import names_of, object_of
from harness.trials.inputs import changes
from harness.trials.plan import make_plan, stored_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.store.store import Store
    from harness.trials.catalogue import ClaimFolder
    from harness.trials.options import Options
    from harness.trials.plan import Plan

GONE = "of claims that are gone"
CHANGED = "of code, data, files or metrics that have changed"
FAILED = "that failed"


def garbage(store: Store, folders: Iterable[ClaimFolder], options: Options) -> dict[str, str]:
    """Return the keys of the trials that no run of today's claims can reuse, each with why.

    A trial of another device or of other versions of packages is none of them: it is read again where those are.

    Args:
        store: where trials are.
        folders: the claims there are.
        options: for the plans of the claims; the profile does not matter.

    Raises:
        ClaimsError: a claim cannot be planned; what is garbage is then not known.
    """
    plans = {folder.claim.id: _plan(folder, options) for folder in folders}
    unchanged = functools.cache(lambda claim, inputs: _unchanged(plans[claim], inputs, store))
    found = {}
    for table, row in store.rows():
        if table != "trial":
            continue
        reason = _reason(row, plans.get(row["claim"]), unchanged)
        if reason:
            found[row["key"]] = reason
    return found


def reasons(found: dict[str, str]) -> list[str]:
    """Return lines that say how many trials there are for each reason."""
    return [f"{number} trials {reason}" for reason, number in sorted(Counter(found.values()).items())]


def _plan(folder: ClaimFolder, options: Options) -> Plan:
    try:
        return make_plan(folder, replace(options, profile=next(iter(folder.claim.profiles))))
    except ClaimsError as error:
        raise type(error)(f"{error}; nothing is deleted while a claim cannot be planned") from None


def _reason(row: dict[str, Any], plan: Plan | None, unchanged: Callable[[str, str | None], bool]) -> str | None:
    """Return why a trial is garbage, None if it is not."""
    if plan is None:
        return GONE
    if row["status"] == "failed":
        return FAILED
    seed = Seed(row["base_seed"], row["claim"], row["seed"])
    where = f"trial {row['key'][:12]}"
    then = replace(plan, environment=names_of(row["environment"], f"{where}: environment"))
    settings = object_of(row["settings"], f"{where}: settings")
    if stored_key(then, row["arm"], settings, seed) != row["key"]:
        return CHANGED
    return None if unchanged(row["claim"], row["inputs"]) else CHANGED


def _unchanged(plan: Plan, inputs: str | None, store: Store) -> bool:
    """Whether what trials of a claim rest on is as it was; as of versions in the key, where other packages are, they may be read again."""
    known = store.inputs(inputs)
    own = replace(known, packages={}) if known else None
    return own is not None and not changes(own, plan.inputs, plan.folder.experiment, plan.folder.project)
