"""The Gaussian-kernel machine: equal to scikit-learn's own, its penalty searched without a look at other data."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.svm import SVC

from harness.errors import UsageError
from harness.training import support_vectors
from harness.training.support_vectors import GaussianMachine, SvmParameters

N_TRAIN = 600


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return 1,797 digits of 8 x 8 pixels in [0, 1] and their labels; the first 600 are for training."""
    inputs, labels = load_digits(return_X_y=True)
    return (inputs / 16).astype(np.float32), labels


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("penalty", [SvmParameters(1.0, 0.02), SvmParameters(10.0, 0.1)])
@pytest.mark.parametrize("whole_kernel", [0, N_TRAIN])
def test_decides_like_the_plain_machine(
    digits: tuple[np.ndarray, np.ndarray],
    classes: int,
    penalty: SvmParameters,
    whole_kernel: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(support_vectors, "WHOLE_KERNEL", whole_kernel)
    kept = digits[1] < classes
    inputs, labels = digits[0][kept], digits[1][kept]
    ours = support_vectors.fit(inputs[:N_TRAIN], labels[:N_TRAIN], penalty)
    plain = SVC(C=penalty.cost, gamma=penalty.gamma, random_state=0).fit(inputs[:N_TRAIN], labels[:N_TRAIN])
    # Both stop within libsvm's tolerance of 1e-3 of the optimum; an input that near to a border may fall either way.
    assert np.mean(ours.predict(inputs) != plain.predict(inputs)) <= 0.001


def test_the_machine_is_the_plain_one(digits: tuple[np.ndarray, np.ndarray]) -> None:
    inputs, labels = digits[0][:N_TRAIN], digits[1][:N_TRAIN]
    ours, plain = (
        support_vectors.fit(inputs, labels, SvmParameters(1.0, 0.02)),
        SVC(C=1.0, gamma=0.02, random_state=0).fit(inputs, labels),
    )
    np.testing.assert_array_equal(ours.sizes, plain.n_support_)
    np.testing.assert_array_equal(ours.support, inputs[plain.support_])
    np.testing.assert_allclose(ours.intercepts, plain.intercept_, atol=5e-3)  # a few times libsvm's tolerance


def test_labels_may_be_any_integers(digits: tuple[np.ndarray, np.ndarray]) -> None:
    inputs, labels = digits[0][:200], digits[1][:200] * 7 - 20
    predicted = support_vectors.fit(inputs, labels, SvmParameters(10.0, 0.1)).predict(inputs)
    assert np.mean(predicted == labels) > 0.99


def test_prediction_does_not_depend_on_the_blocks(
    digits: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = support_vectors.fit(digits[0][:N_TRAIN], digits[1][:N_TRAIN], SvmParameters(10.0, 0.1))
    whole = machine.predict(digits[0])
    monkeypatch.setattr(support_vectors, "PREDICTED_AT_ONCE", 77)
    np.testing.assert_array_equal(machine.predict(digits[0]), whole)


def test_equal_votes_go_to_the_first_class() -> None:
    """Three classes that each win one duel: libsvm takes the first, and so does this."""
    nothing = np.zeros((2, 3), np.float32)
    machine = GaussianMachine(
        SvmParameters(1.0, 1.0), np.array([4, 5, 6]), np.eye(3, dtype=np.float32), np.ones(3, int), nothing,
        np.array([1.0, -1.0, 1.0], np.float32),  # 4 beats 5, 6 beats 4, 5 beats 6
    )  # fmt: skip
    assert machine.predict(np.zeros((1, 3), np.float32)).tolist() == [4]


def test_distances_and_kernel_by_hand() -> None:
    left, right = np.array([[0, 0], [3, 4]], np.float32), np.array([[0, 0], [3, 0]], np.float32)
    squares = support_vectors.squared_distances(left, right)
    np.testing.assert_allclose(squares, [[0, 9], [25, 16]])
    np.testing.assert_allclose(support_vectors.gaussian(squares, 0.5), np.exp([[0, -4.5], [-12.5, -8]]), rtol=1e-6)


def test_distances_are_never_negative() -> None:
    far = np.random.default_rng(0).normal(1000, 1, (50, 30)).astype(np.float32)
    assert (support_vectors.squared_distances(far, far) >= 0).all()


def test_search_finds_what_a_search_by_hand_finds(digits: tuple[np.ndarray, np.ndarray]) -> None:
    inputs, labels = digits[0][:N_TRAIN], digits[1][:N_TRAIN]
    found = support_vectors.search(inputs, labels, np.random.default_rng(1), n_search=200)
    chosen = np.random.default_rng(1).permutation(N_TRAIN)[:300]
    fitted, judged = chosen[:200], chosen[200:]
    scale = 1 / (64 * inputs.var())
    grid = [SvmParameters(cost, width * scale) for width in support_vectors.WIDTHS for cost in support_vectors.COSTS]
    plain = [
        SVC(C=penalty.cost, gamma=penalty.gamma, random_state=0).fit(inputs[fitted], labels[fitted]) for penalty in grid
    ]
    errors = [np.mean(machine.predict(inputs[judged]) != labels[judged]) for machine in plain]
    assert errors[grid.index(found)] <= min(errors) + 0.01  # one near tie of the hundred


def test_search_prefers_the_smoothest_among_equals() -> None:
    generator = np.random.default_rng(0)
    labels = np.arange(90) % 2
    apart = (generator.normal(0, 0.1, (90, 2)) + 10 * labels[:, None]).astype(np.float32)  # any penalty is faultless
    found = support_vectors.search(apart, labels, generator, n_search=60, costs=(100.0, 1.0), widths=(2.0, 0.5))
    assert found == SvmParameters(1.0, pytest.approx(0.5 / (2 * apart.var())))


def test_search_with_fewer_examples_than_asked_for(digits: tuple[np.ndarray, np.ndarray]) -> None:
    found = support_vectors.search(digits[0][:60], digits[1][:60], np.random.default_rng(1), n_search=1000)
    assert found.cost in support_vectors.COSTS


@pytest.mark.parametrize(
    ("inputs", "labels", "message"),
    [
        (np.zeros((4, 2)), np.arange(4), r"float64 \(4, 2\) for 4 labels; give float32"),
        (np.zeros((4, 2, 2), np.float32), np.arange(4), r"float32 \(4, 2, 2\) for 4 labels"),
        (np.zeros((4, 2), np.float32), np.arange(3), "for 3 labels"),
        (np.full((4, 2), np.nan, np.float32), np.arange(4), "some are not finite"),
        (np.zeros((4, 2), np.float32), np.ones(4, int), "give at least two classes"),
    ],
)
def test_misuse_is_refused(inputs: np.ndarray, labels: np.ndarray, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        support_vectors.fit(inputs, labels, SvmParameters(1.0, 1.0))
    with pytest.raises(UsageError, match=message):
        support_vectors.search(inputs, labels, np.random.default_rng(0), n_search=2)
