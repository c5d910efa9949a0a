"""The digits: where they are looked for, that nothing but the known bytes is read, and how they are split."""

from __future__ import annotations

import gzip
import hashlib
import socket
import subprocess
import sys
import threading
import tracemalloc
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fixtures import mnist
from harness.cli import main
from harness.dataset import DataRecord
from harness.errors import DataError
from harness.seeds import Seed
from tests.fuzz.digits import idx

if TYPE_CHECKING:
    from collections.abc import Iterator

N_TRAIN, N_TEST = 60, 20


@pytest.fixture
def contents(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Return four small IDX files whose checksums replace those of MNIST, so that no test needs the real ones."""
    generator = np.random.default_rng(7)
    files = {}
    for prefix, n in (("train", N_TRAIN), ("t10k", N_TEST)):
        files[f"{prefix}-images-idx3-ubyte"] = idx(generator.integers(0, 256, (n, 28, 28)))
        files[f"{prefix}-labels-idx1-ubyte"] = idx(np.arange(n) % 10)
    monkeypatch.setattr(mnist, "CONTENT_SHA256", {k: hashlib.sha256(v).hexdigest() for k, v in files.items()})
    return files


@pytest.fixture
def data_folder(contents: dict[str, bytes], tmp_path: Path) -> Path:
    """Return a data folder that holds the four small files, gzipped."""
    write(tmp_path / "data" / "mnist", contents)
    return tmp_path / "data"


def write(folder: Path, contents: dict[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))


def plain_digits(labels: np.ndarray, official_test: np.ndarray) -> mnist.Digits:
    images = np.zeros((len(labels), 28, 28), np.uint8)
    return mnist.Digits(images, labels, official_test, DataRecord("plain", "0" * 64, len(labels), "made here"))


def test_reads_the_gzipped_files(data_folder: Path, contents: dict[str, bytes], tmp_path: Path) -> None:
    digits = mnist.read_digits(data_folder, tmp_path / "cache")
    assert digits.images.shape == (N_TRAIN + N_TEST, 28, 28)
    assert digits.images[N_TRAIN:].tobytes() == contents["t10k-images-idx3-ubyte"][16:]
    assert digits.labels.tolist() == [*(np.arange(N_TRAIN) % 10), *(np.arange(N_TEST) % 10)]
    assert digits.official_test.tolist() == [False] * N_TRAIN + [True] * N_TEST


def test_unpacked_files_give_the_same_digits_and_record(data_folder: Path, tmp_path: Path) -> None:
    gzipped = mnist.read_digits(data_folder, tmp_path)
    for path in (data_folder / "mnist").glob("*.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    unpacked = mnist.read_digits(data_folder, tmp_path)
    assert unpacked.record == gzipped.record
    np.testing.assert_array_equal(unpacked.images, gzipped.images)


def test_the_record_is_the_hash_of_the_arrays(data_folder: Path, tmp_path: Path) -> None:
    digits = mnist.read_digits(data_folder, tmp_path)
    expected = hashlib.sha256(digits.images.tobytes() + digits.labels.tobytes()).hexdigest()
    assert (digits.record.sha256, digits.record.size) == (expected, N_TRAIN + N_TEST)


def test_the_cache_is_read_when_no_data_folder_is_named(data_folder: Path) -> None:
    assert mnist.read_digits(None, data_folder).record.name == "mnist"


def test_a_data_folder_without_digits_falls_back(tmp_path: Path) -> None:
    (tmp_path / "cifar10").mkdir()
    assert mnist.read_digits(tmp_path, tmp_path / "no cache").record.name == "mnist-5k"


def test_a_data_folder_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere: no such folder; let CLAIMS_DATA_DIR be one that holds mnist/"):
        mnist.read_digits(tmp_path / "nowhere", tmp_path)


def test_load_obeys_the_environment(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMS_CACHE_DIR", str(data_folder / "no cache"))
    monkeypatch.setenv("CLAIMS_DATA_DIR", str(data_folder))
    assert mnist.load().record.name == "mnist"
    monkeypatch.setenv("CLAIMS_DATA_DIR", "")
    assert mnist.load().record.name == "mnist-5k"
    monkeypatch.setenv("CLAIMS_CACHE_DIR", str(data_folder))
    assert mnist.load().record.name == "mnist"


def test_digits_cannot_be_changed_by_one_reader_for_the_next() -> None:
    digits = mnist.read_digits(None, Path("no cache"))
    with pytest.raises(ValueError, match="read-only"):
        digits.images[0] = 0


def test_the_packaged_digits_are_balanced_and_whole() -> None:
    digits = mnist.read_digits(None, Path("no cache"))
    assert digits.images.dtype == np.uint8
    assert digits.images.shape == (5000, 28, 28)
    assert np.bincount(digits.labels).tolist() == [500] * 10
    assert digits.images.max() == 255
    assert not digits.official_test.any()


# Every defect in one line: which file, what is wrong, both checksums, what to do.


def test_a_truncated_file(data_folder: Path, tmp_path: Path) -> None:
    path = data_folder / "mnist" / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz: broken \(.*\), expected content sha256 \w{64};"):
        mnist.read_digits(data_folder, tmp_path)


def test_a_truncated_unpacked_file(data_folder: Path, contents: dict[str, bytes], tmp_path: Path) -> None:
    name = "train-images-idx3-ubyte"
    (data_folder / "mnist" / f"{name}.gz").unlink()
    (data_folder / "mnist" / name).write_bytes(contents[name][:1000])
    with pytest.raises(DataError, match=f"{name}: holds 1,000 bytes that are not {name}, expected .*, found "):
        mnist.read_digits(data_folder, tmp_path)


def test_one_flipped_bit(data_folder: Path, contents: dict[str, bytes], tmp_path: Path) -> None:
    name = "t10k-images-idx3-ubyte"
    changed = bytearray(contents[name])
    changed[500] ^= 1
    (data_folder / "mnist" / f"{name}.gz").write_bytes(gzip.compress(bytes(changed)))
    with pytest.raises(DataError) as caught:
        mnist.read_digits(data_folder, tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    found = hashlib.sha256(changed).hexdigest()
    assert f"expected content sha256 {mnist.CONTENT_SHA256[name]}, found {found}" in message
    assert "delete it and run `claims fetch mnist`, or put the right file there" in message


def test_two_swapped_files_are_named(data_folder: Path, contents: dict[str, bytes], tmp_path: Path) -> None:
    folder = data_folder / "mnist"
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(contents["t10k-labels-idx1-ubyte"]))
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte\.gz: holds t10k-labels-idx1-ubyte, expected"):
        mnist.read_digits(data_folder, tmp_path)


def test_a_file_missing_beside_its_companions(data_folder: Path, tmp_path: Path) -> None:
    (data_folder / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz: missing beside its companions; add it, or run"):
        mnist.read_digits(data_folder, tmp_path)


def test_images_for_labels_are_named(data_folder: Path, contents: dict[str, bytes], tmp_path: Path) -> None:
    folder = data_folder / "mnist"
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(contents["train-images-idx3-ubyte"]))
    with pytest.raises(
        DataError, match=r"train-labels-idx1-ubyte\.gz: holds train-images-idx3-ubyte, .*delete it and run"
    ):
        mnist.read_digits(data_folder, tmp_path)


@pytest.mark.parametrize("name", mnist.FILES)
def test_any_of_the_four_files_cut_short(name: str, data_folder: Path, tmp_path: Path) -> None:
    path = data_folder / "mnist" / f"{name}.gz"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(
        DataError, match=rf"{name}\.gz: broken \(.*\), .*; delete it and run `claims fetch mnist`, or put"
    ):
        mnist.read_digits(data_folder, tmp_path)


def test_a_header_that_announces_a_trillion_items_costs_nothing(
    data_folder: Path, contents: dict[str, bytes], tmp_path: Path
) -> None:
    name = "train-images-idx3-ubyte"
    lying = bytes([0, 0, 8, 2]) + np.array([2**20, 2**20], ">u4").tobytes() + contents[name][16:]
    (data_folder / "mnist" / f"{name}.gz").write_bytes(gzip.compress(lying))
    tracemalloc.start()
    with pytest.raises(DataError, match=f"{name}.gz: holds .* bytes that are not {name}"):
        mnist.read_digits(data_folder, tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000


@pytest.mark.parametrize("packed", [True, False])
def test_a_file_that_swells_is_unpacked_no_further_than_mnist_goes(
    packed: bool, data_folder: Path, tmp_path: Path
) -> None:
    name = "train-images-idx3-ubyte"
    (data_folder / "mnist" / f"{name}.gz").unlink()
    path = data_folder / "mnist" / (f"{name}.gz" if packed else name)
    with gzip.open(path, "wb", 1) if packed else path.open("wb") as file:
        for _ in range(1 if not packed else 400):
            file.write(b"0" * 2**20) if packed else file.truncate(400 * 2**20)
    tracemalloc.start()
    with pytest.raises(
        DataError, match=r"holds more than the 47,040,016 bytes of MNIST's largest file, expected .*; delete"
    ):
        mnist.read_digits(data_folder, tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000_000


def test_the_largest_file_of_mnist_is_as_large_as_it_may_be() -> None:
    images, header = 60_000 * 28 * 28, 16
    assert images + header == mnist.LARGEST


@pytest.mark.parametrize("defect", ["not gzip", "no numbers", "other numbers"])
def test_a_packaged_file_that_is_not_the_known(defect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = {"no numbers": b"a,b\nc,d\n", "other numbers": (b"0," * 784 + b"1\n") * 3}.get(defect, b"")
    path = tmp_path / "mnist_5k.csv.gz"
    path.write_bytes(gzip.compress(text) if text else b"neither one nor the other")
    monkeypatch.setattr(mnist, "_packaged_file", lambda: path)
    with pytest.raises(DataError, match=rf"mnist_5k\.csv\.gz: .*expected (content )?sha256 {mnist.EMBEDDED_SHA256}"):
        mnist.read_digits(None, tmp_path)


def test_loading_imports_nothing_heavy() -> None:
    script = "import sys; from fixtures import mnist; mnist.load(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split()
    assert "fixtures.mnist" in loaded
    assert not {"torch", "sklearn", "pandas", "matplotlib", "pooch", "mlxtend.data"} & set(loaded)


# Splits.


@pytest.fixture(scope="module")
def digits() -> mnist.Digits:
    return mnist.read_digits(None, Path("no cache"))


@pytest.mark.parametrize(("n_train", "n_test"), [(1, 1), (100, 50), (997, 333), (4001, 999), (0, 5000)])
def test_splits_are_disjoint_and_balanced(digits: mnist.Digits, n_train: int, n_test: int) -> None:
    train, test = mnist.split(digits, Seed(1, "a", 0), n_train, n_test)
    assert (len(train), len(test)) == (n_train, n_test)
    assert len(np.unique(np.concatenate([train, test]))) == n_train + n_test
    for part in (train, test):
        counts = np.bincount(digits.labels[part], minlength=10)
        assert counts.max() - counts.min() <= 1


def test_unequal_classes_keep_their_proportions() -> None:
    labels = np.repeat([0, 1, 2], [700, 200, 100])
    order = mnist.stratified_order(labels, np.random.default_rng(3))
    assert sorted(order) == list(range(1000))
    for n in (10, 333, 990):
        for part in (order[:n], order[-n:]):
            assert np.abs(np.bincount(labels[part], minlength=3) - n * np.array([0.7, 0.2, 0.1])).max() <= 1


def test_splits_are_redrawn_by_seed_and_repeat_by_seed(digits: mnist.Digits) -> None:
    first, again = (mnist.split(digits, Seed(1, "a", 0), 1000, 500) for _ in range(2))
    other = mnist.split(digits, Seed(1, "a", 1), 1000, 500)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    # Two random tests sets of 500 out of 5,000 share 50 on average, standard deviation below 7.
    assert 15 <= len(np.intersect1d(first[1], other[1])) <= 85


def test_a_larger_training_set_keeps_the_test_set_and_contains_the_smaller(digits: mnist.Digits) -> None:
    small_train, small_test = mnist.split(digits, Seed(1, "a", 0), 300, 500)
    large_train, large_test = mnist.split(digits, Seed(1, "a", 0), 3000, 500)
    np.testing.assert_array_equal(small_test, large_test)
    assert set(small_train) < set(large_train)


def test_every_class_member_is_equally_likely() -> None:
    labels, hits, draws = np.repeat([0, 1], 10), np.zeros(20), 2000
    for index in range(draws):
        hits[mnist.stratified_order(labels, np.random.default_rng(index))[:5]] += 1
    # Each is drawn with probability 1/4; 6 standard deviations of a binomial proportion.
    assert np.abs(hits / draws - 0.25).max() < 6 * np.sqrt(0.25 * 0.75 / draws)


def test_official_parts_stay_apart() -> None:
    labels, official_test = np.arange(70) % 10, np.arange(70) >= 50
    train, test = mnist.split(plain_digits(labels, official_test), Seed(1, "a", 0), 50, 20)
    assert sorted(train) == list(range(50))
    assert sorted(test) == list(range(50, 70))


@pytest.mark.parametrize(
    ("official", "n_train", "n_test", "message"),
    [
        (0, 60, 20, r"plain: n_train 60 \+ n_test 20 asks for more than the 70 digits there are; lower it, or give"),
        (20, 51, 20, "plain: n_train 51 asks for more than the 50 digits"),
        (20, 50, 21, "plain: n_test 21 asks for more than the 20 digits"),
    ],
)
def test_more_than_there_is(official: int, n_train: int, n_test: int, message: str) -> None:
    digits = plain_digits(np.arange(70) % 10, np.arange(70) >= 70 - official)
    with pytest.raises(DataError, match=message):
        mnist.split(digits, Seed(1, "a", 0), n_train, n_test)


# Fetching, from a server of our own.


@pytest.fixture
def mirror(contents: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield a folder that a server on this machine offers as the second mirror; nobody listens at the first."""
    folder = tmp_path / "mirror"
    write(folder, contents)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead = closed.getsockname()[1]
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setattr(mnist, "MIRRORS", (f"http://127.0.0.1:{dead}/", f"http://127.0.0.1:{server.server_port}/"))
        yield folder
        server.shutdown()


def test_fetch_brings_what_load_finds(mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMS_CACHE_DIR", str(tmp_path / "cache"))
    folder = mnist.fetch()
    assert folder == tmp_path / "cache" / "mnist"
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{name}.gz" for name in mnist.FILES)
    assert mnist.read_digits(None, tmp_path / "cache").record.name == "mnist"
    assert mirror.is_dir()


def test_fetch_refuses_what_is_not_mnist(mirror: Path, tmp_path: Path) -> None:
    (mirror / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"something else"))
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz: no mirror delivered it \(.*holds 14 bytes that"):
        mnist.fetch(tmp_path / "here")
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!DOCTYPE html><title>Log in to the network</title>",
        b"\x1f\x8b",
        gzip.compress(b"x" * 9000, mtime=0)[:20],
    ],
    ids=["nothing", "page", "two bytes", "cut short"],
)
def test_fetch_takes_no_page_of_a_log_in_and_nothing_cut_short(content: bytes, mirror: Path, tmp_path: Path) -> None:
    for path in mirror.iterdir():
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"no mirror delivered it .*; try again, or set CLAIMS_DATA_DIR to a folder"):
        mnist.fetch(tmp_path / "here")
    assert list((tmp_path / "here").iterdir()) == []


def test_fetch_names_an_error_without_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def mute(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr("pooch.retrieve", mute)
    with pytest.raises(DataError, match=r"no mirror delivered it \(https://.*: OSError; https://.*: OSError\)"):
        mnist.fetch(tmp_path / "here")


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody listen at any mirror."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("CLAIMS_CACHE_DIR", str(tmp_path / "cache"))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead = closed.getsockname()[1]
    monkeypatch.setattr(mnist, "MIRRORS", (f"http://127.0.0.1:{dead}/", f"http://127.0.0.1:{dead}/again/"))


@pytest.mark.usefixtures("offline")
def test_fetch_without_a_network_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        mnist.fetch()
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("train-images-idx3-ubyte.gz: no mirror delivered it (http://127.0.0.1:")
    assert message.endswith("; try again, or set CLAIMS_DATA_DIR to a folder that holds mnist/")
    assert list((tmp_path / "cache/mnist").iterdir()) == []


@pytest.mark.usefixtures("offline")
def test_claims_fetch_without_a_network_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(Path(__file__).parents[1]), "fetch", "mnist"]) == 2
    assert "no mirror delivered it" in capsys.readouterr().err


@pytest.mark.usefixtures("offline")
def test_without_a_network_the_packaged_digits_are_read(tmp_path: Path) -> None:
    assert mnist.read_digits(None, tmp_path / "cache").record.name == "mnist-5k"
