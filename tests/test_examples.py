"""The worked examples run, in their sized-down form."""

import importlib
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "docs" / "examples"


def shared_data(name):
    """Return the path of a shared data file, in SKLEARN_HPT_DATA or shared/data; else skip."""
    folders = [ROOT / "shared" / "data", ROOT.parent / "shared" / "data"]
    if "SKLEARN_HPT_DATA" in os.environ:
        folders.insert(0, Path(os.environ["SKLEARN_HPT_DATA"]))
    for folder in folders:
        if (folder / name).exists():
            return folder / name
    pytest.skip(f"{name} is neither in SKLEARN_HPT_DATA nor in shared/data")


@pytest.mark.slow
def test_coarse_to_fine_mnist_runs_on_the_digits(monkeypatch, tmp_path, capsys):
    for module in ("torch", "skorch", "matplotlib"):
        pytest.importorskip(module)
    monkeypatch.syspath_prepend(EXAMPLES)
    example = importlib.import_module("coarse_to_fine_mnist")
    picture = tmp_path / "search.png"

    example.main(["--n-jobs", "1", "--picture", str(picture)])

    text = capsys.readouterr().out
    assert float(re.search(r"test accuracy ([\d.]+)", text).group(1)) > 0.95
    assert int(re.search(r"(\d+) epochs saved", text).group(1)) > 0
    assert picture.stat().st_size > 10_000


@pytest.mark.slow
def test_population_fashion_mnist_runs_on_the_digits(monkeypatch, capsys):
    for module in ("torch", "skorch"):
        pytest.importorskip(module)
    monkeypatch.syspath_prepend(EXAMPLES)
    example = importlib.import_module("population_fashion_mnist")

    search = example.main(["--n-jobs", "1"])

    text = capsys.readouterr().out
    assert float(re.search(r"test accuracy ([\d.]+)", text).group(1)) > 0.95
    assert search.best_schedule_.amounts[-1] <= 10


@pytest.mark.slow
def test_lr_range_fashion_mnist_runs_on_the_digits(monkeypatch, tmp_path, capsys):
    for module in ("torch", "skorch", "matplotlib"):
        pytest.importorskip(module)
    monkeypatch.syspath_prepend(EXAMPLES)
    monkeypatch.chdir(tmp_path)
    example = importlib.import_module("lr_range_fashion_mnist")

    example.main([])

    text = capsys.readouterr().out
    assert float(re.search(r"test accuracy .* ([\d.]+)", text).group(1)) > 0.95
    for picture in ("lr_range.png", "loss_curves.png"):
        assert (tmp_path / picture).stat().st_size > 10_000


@pytest.mark.slow
def test_pictures_are_drawn(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    monkeypatch.syspath_prepend(EXAMPLES)
    displays = importlib.import_module("pictures").main(["--folder", str(tmp_path)])
    assert {path.stem for path in tmp_path.iterdir()} == displays.keys()
    assert all(1_000 < path.stat().st_size < 60_000 for path in tmp_path.iterdir())


@pytest.fixture
def data_mismatch(monkeypatch):
    pytest.importorskip("matplotlib").use("Agg")
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module("data_mismatch")


def test_data_mismatch_is_named_on_moved_digits(data_mismatch, tmp_path):
    found = data_mismatch.main(["--picture", str(tmp_path / "mismatch.png")])
    assert found.largest == "data mismatch"
    assert found.within_noise >= {"variance", "overfitting to dev"}
    assert (tmp_path / "mismatch.png").stat().st_size > 10_000


def test_data_mismatch_is_named_on_texts_of_two_domains(data_mismatch, tmp_path, capsys):
    pytest.importorskip("pandas")
    texts = shared_data("vader_domains.csv.gz")
    found = data_mismatch.main(["--data", str(texts), "--picture", str(tmp_path / "mismatch.png")])
    assert found.largest == "data mismatch"
    assert found.gaps["data mismatch"] > 2 * found.gaps["variance"] > 0
    assert found.within_noise == {"overfitting to dev"}
    mixed = capsys.readouterr().out.partition("half of the target rows as well")[2]
    assert float(re.search(r"data mismatch +([\d.]+) %", mixed)[1]) < 6
