"""How far the outputs of each hidden layer tell digits apart before anything is learned, with and without normalization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pictures import Curves, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

STARTS = (("sigmoid", 4.0), ("relu", 0.14), ("relu", 1.4), ("relu", 4.0))
DEPTH = 8
FEW = {"n_train": 200, "n_test": 10}


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    """Draw the outputs' standard deviation over digits, layer by layer, in networks of twice the trials' depth."""
    lines = []
    for arm, settings in arms.items():
        for activation, scale in STARTS:
            begun = {**settings, **FEW, "epochs": 0, "depth": DEPTH, "activation": activation, "start_scale": scale}
            spread = spreads(experiment, seed, begun)
            lines.append(Line(f"{arm}, {activation}, scale {scale:g}", range(1, DEPTH + 1), spread))
    title = f"What is left of the difference between digits in {DEPTH} layers that have learned nothing"
    return Curves(title, "hidden layer", "standard deviation of its outputs over digits", lines, log="y")


def spreads(experiment: ModuleType, seed: Seed, settings: dict[str, Any]) -> list[float]:
    """Return the standard deviation over digits, averaged over units, of each hidden layer's outputs in training."""
    import torch

    from harness.training import Recipe

    recipe, shape = Recipe.split(settings)
    drawn = {name: shape.pop(name) for name in ("n_train", "n_test")}
    split = experiment.examples((seed,), **drawn, side=shape["side"])
    networks = experiment.fit((seed,), split, recipe, **shape)
    outputs, found = split.train[0][0], []
    for path, layer in networks.module.train().named_children():
        state = {name: networks.weights[f"{path}.{name}"][0] for name in layer.state_dict()}
        outputs = torch.func.functional_call(layer, state, (outputs,))
        if isinstance(layer, (torch.nn.Sigmoid, torch.nn.ReLU)):
            found.append(float(outputs.std(0).mean()))
    return found
