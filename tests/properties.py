"""How hypothesis looks for examples: the same in every run of the tests, other ones in `nox -s fuzz`."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.internal.conjecture.providers import Constants, HypothesisProvider

# A busy machine must not fail a property, nor may what an earlier run found there.
STEADY = {"deadline": None, "database": None, "print_blob": True, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("claims", derandomize=True, **STEADY)
settings.register_profile("explore", derandomize=False, max_examples=1000, **STEADY)
settings.load_profile("claims")

# The table of characters, which is kept in the checkout otherwise, is quickly made.
set_hypothesis_home_dir(os.devnull)

# Hypothesis also draws numbers that stand in the modules imported so far, which depends on the tests that came before.
HypothesisProvider._local_constants = Constants()
