"""What makes trials comparable: all that they depend on besides claim, arm and seed."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from harness.trials.provenance import canonical, digest_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from harness.seeds import Seed


@dataclass(frozen=True)
class Identity:
    """What trials have in common that can be compared or joined; the band is no part of it.

    Attributes:
        code: digest of the experiment and its imports.
        data: SHA-256 of each data set.
        environment: device, precision and versions.
        settings: what all trials share.
        arms: arm -> its own settings.
        conditions: condition -> its values.
        declared: file that the claim declares as an input -> SHA-256; records do not name them.
    """

    code: str
    data: list[str]
    environment: dict[str, str]
    settings: dict[str, Any]
    arms: dict[str, dict[str, Any]]
    conditions: dict[str, list[Any]]
    declared: dict[str, str] = field(default_factory=dict)

    def key(self, seed: Seed, arm: str, settings: Mapping[str, Any], metrics: Collection[str]) -> str:
        """Return the SHA-256 that names a trial of `arm` whose call got `settings`, placement apart."""
        parts = {"code": self.code, "data": self.data, "environment": self.environment, "inputs": self.declared}
        own = {"claim": seed.claim, "arm": arm, "settings": settings, "metrics": sorted(metrics)}
        return digest_of({**parts, **own, "base_seed": seed.base, "seed": seed.index})

    def fingerprint(self) -> str:
        """Return the SHA-256 of all of it: what was found of the instrument holds for as long as this stays."""
        settings = {"all": self.settings, "arms": self.arms}
        return digest_of([self.code, self.data, self.environment, settings, self.conditions, self.declared])

    def differences(self, other: Identity) -> list[str]:
        """Return the parts that are not the same in another; those of the environment by name, declared files apart."""
        names = [name for name in PARTS if canonical(getattr(self, name)) != canonical(getattr(other, name))]
        versions = [name for name, _, _ in changed_versions(self.environment, other.environment)]
        return [part for name in names for part in (versions if name == "environment" else [name])]


PARTS = tuple(field.name for field in fields(Identity) if field.name != "declared")
"""Parts that a record has, too, under these names."""


def changed_versions(then: Mapping[str, str], now: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return what is not the same in two environments: name, then and now, `none` where it was no part of one."""
    pairs = [(name, then.get(name, "none"), now.get(name, "none")) for name in {**then, **now}]
    return [(name, before, after) for name, before, after in pairs if before != after]
