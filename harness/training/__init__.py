"""One network per seed, all in one batched program.

Examples, targets and a recipe go in; an `Ensemble` of trained networks comes out. Nothing else of harness imports it.
What an author needs is named here; `learning_curve` and `support_vectors` are imported as modules of their own, since
what is named here is part of the key of every trial that trains.
"""

from harness.training.draws import Draws
from harness.training.early_stopping import EarlyStopping
from harness.training.ensembles import Ensemble, Observer, error_rate
from harness.training.initialisation import Gaussian, Initialiser
from harness.training.layers import LastStep
from harness.training.local_connections import LocallyConnected2d
from harness.training.losses import Loss
from harness.training.minibatches import Rows, orders
from harness.training.noise import SeededNoise
from harness.training.optimisers import Optimiser
from harness.training.precision import Precision
from harness.training.rate_search import search
from harness.training.recipe import Recipe
from harness.training.supervised_learning import Split, supervised
from harness.training.training_run import train

__all__ = [
    "Draws",
    "EarlyStopping",
    "Ensemble",
    "Gaussian",
    "Initialiser",
    "LastStep",
    "LocallyConnected2d",
    "Loss",
    "Observer",
    "Optimiser",
    "Precision",
    "Recipe",
    "Rows",
    "SeededNoise",
    "Split",
    "error_rate",
    "orders",
    "search",
    "supervised",
    "train",
]
