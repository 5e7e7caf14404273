"""The worked examples run, in their sized-down form."""

import importlib
import re
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "docs" / "examples"


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
