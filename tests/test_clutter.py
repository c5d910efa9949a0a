"""Scenes: nothing of a digit is lost, nothing leaks between parts, and every scene is drawn anew."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures import clutter, mnist

CANVAS = 32


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return mnist.load().images[::25]


def draw(images: np.ndarray, seed: int = 5, **changes: int) -> np.ndarray:
    settings = {"canvas": CANVAS, "fragments": 5, "fragment": 6, **changes}
    return clutter.jittered_clutter(images, np.random.default_rng(seed), **settings)


def test_boxes_lose_no_ink(images: np.ndarray) -> None:
    cut = clutter.boxes(images)
    assert cut.shape == (len(images), 20, 20)
    np.testing.assert_array_equal(cut.sum((1, 2), dtype=int), images.sum((1, 2), dtype=int))


@pytest.mark.parametrize(("row", "column"), [(0, 0), (27, 0), (13, 14), (27, 27)])
def test_a_box_follows_ink_into_every_corner(row: int, column: int) -> None:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, row, column] = 9
    assert clutter.boxes(image).sum() == 9


def test_a_box_has_the_ink_in_its_middle() -> None:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 10:18, 9:17] = 1
    expected = np.zeros((20, 20), np.uint8)
    expected[6:14, 6:14] = 1
    np.testing.assert_array_equal(clutter.boxes(image)[0], expected)


def test_an_empty_image_has_an_empty_box() -> None:
    assert clutter.boxes(np.zeros((2, 28, 28), np.uint8)).sum() == 0


def test_uniform_scenes_are_centred_boxes_on_nothing(images: np.ndarray) -> None:
    scenes = clutter.uniform(images, canvas=CANVAS)
    np.testing.assert_array_equal(scenes[:, 6:26, 6:26], clutter.boxes(images))
    assert scenes.sum(dtype=int) == images.sum(dtype=int)


def test_without_fragments_a_scene_is_a_shifted_digit(images: np.ndarray) -> None:
    scenes = draw(images, fragments=0)
    np.testing.assert_array_equal(clutter.boxes(scenes), clutter.boxes(images))


def test_every_place_is_equally_likely() -> None:
    dot = np.zeros((5000, 28, 28), np.uint8)
    dot[:, 14, 14] = 1
    rows, columns = draw(dot, fragments=0).nonzero()[1:]
    for counts in (np.bincount(rows - rows.min()), np.bincount(columns - columns.min())):
        assert len(counts) == CANVAS - 20 + 1
        # 13 places, each a binomial count; 6 standard deviations.
        assert np.abs(counts - 5000 / 13).max() < 6 * np.sqrt(5000 / 13)


def test_a_cluttered_scene_contains_its_digit_and_more(images: np.ndarray) -> None:
    bare, cluttered = draw(images, fragments=0), draw(images, fragments=5)
    assert (cluttered >= bare).all()  # the digit's place is drawn first, so it is the same
    assert (cluttered > bare).any((1, 2)).mean() > 0.95


def test_fragments_come_from_other_digits() -> None:
    """Image k is inked with the value k + 1: a scene may hold its own value and others, clutter only others."""
    values = np.arange(1, 41, dtype=np.uint8)
    blank = np.zeros((40, 28, 28), np.uint8)
    blank[:, 4:24, 4:24] = values[:, None, None]
    scenes = draw(blank, fragments=3, canvas=60)  # so large that pieces fall beside the digit
    foreign = [set(np.unique(scene)) - {0, value} for scene, value in zip(scenes, values, strict=True)]
    assert set().union(*foreign) <= set(values)
    for scene, value in zip(scenes, values, strict=True):
        # Its own value covers its own box and nothing else: no more than 400 pixels.
        assert (scene == value).sum() <= 400
    assert all(foreign)


def test_placements_repeat_the_digits_in_other_scenes(images: np.ndarray) -> None:
    scenes = draw(images, fragments=0, placements=2)
    assert len(scenes) == 2 * len(images)
    first, second = np.split(scenes, 2)
    np.testing.assert_array_equal(clutter.boxes(first), clutter.boxes(second))
    assert (first != second).any((1, 2)).mean() > 0.9  # one in 169 falls on the same place


def test_scenes_repeat_by_generator(images: np.ndarray) -> None:
    np.testing.assert_array_equal(draw(images, seed=1), draw(images, seed=1))
    assert not np.array_equal(draw(images, seed=1), draw(images, seed=2))


def test_shuffling_is_one_permutation_for_all_images(images: np.ndarray) -> None:
    shuffled = clutter.shuffle_pixels(images, np.random.default_rng(0))
    assert not np.array_equal(shuffled, images)
    numbered = np.arange(28 * 28).reshape(1, 28, 28)
    order = clutter.shuffle_pixels(numbered, np.random.default_rng(0)).ravel()
    np.testing.assert_array_equal(shuffled.reshape(len(images), -1), images.reshape(len(images), -1)[:, order])
    assert sorted(order) == list(range(28 * 28))


def test_scenes_keep_the_type_of_the_images(images: np.ndarray) -> None:
    assert draw(images).dtype == clutter.uniform(images, canvas=CANVAS).dtype == np.uint8
