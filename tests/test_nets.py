"""skorch nets are searched like any other estimator."""

import os
import threading
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
skorch = pytest.importorskip("skorch")
pd = pytest.importorskip("pandas")

from joblib import parallel_config  # noqa: E402
from sklearn.compose import make_column_transformer  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402
from sklearn.pipeline import Pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: E402
from skorch.callbacks import EarlyStopping  # noqa: E402

from sklearn_hpt import LogRandomSearchCV, Real, nets  # noqa: E402
from sklearn_hpt._resources import load_state, save_state  # noqa: E402
from sklearn_hpt.exceptions import AllCandidatesFailedError, TrainSplitWarning  # noqa: E402

X, y = load_digits(return_X_y=True)
X, y = X[:400], y[:400]


class MLP(torch.nn.Module):
    """One hidden layer."""

    def __init__(self, hidden=8, dropout=0.1, n_inputs=64):
        super().__init__()
        self.hidden = torch.nn.Linear(n_inputs, hidden)
        self.dropout = torch.nn.Dropout(dropout)
        self.out = torch.nn.Linear(hidden, 10)

    def forward(self, X):
        return self.out(self.dropout(torch.relu(self.hidden(X))))


def classifier(**options):
    options = {"train_split": None, "max_epochs": 3, "verbose": 0, "lr": 0.1, **options}
    return skorch.NeuralNetClassifier(
        MLP, criterion=torch.nn.CrossEntropyLoss, iterator_train__shuffle=True, **options
    )


def pipeline(**options):
    return Pipeline([("scale", StandardScaler()), ("net", classifier(**options))])


SPACE = {
    "net__lr": (1e-2, 1.0, "log-uniform"),
    "net__optimizer__momentum": Real(0.5, 0.99, "log-complement"),
    "net__module__hidden": (8, 32),
    "net__module__dropout": (0.0, 0.5),
    "net__batch_size": [32, 64],
}


def fitted(n_jobs=1, random_state=0, **options):
    search = LogRandomSearchCV(
        pipeline(), SPACE, n_iter=3, cv=3, random_state=random_state, n_jobs=n_jobs,
        scoring="neg_log_loss", **options,
    )  # fmt: skip
    return search.fit(X, y)


def scores_and_probabilities(search):
    splits = [search.cv_results_[f"split{i}_test_score"] for i in range(3)]
    return np.array(splits), search.predict_proba(X)


def test_nets_give_the_same_results_for_every_n_jobs_and_in_threads():
    expected = scores_and_probabilities(fitted(n_jobs=1))
    for n_jobs in (2, 4):
        for a, b in zip(expected, scores_and_probabilities(fitted(n_jobs=n_jobs)), strict=True):
            np.testing.assert_array_equal(a, b)
    with parallel_config("threading"):
        for a, b in zip(expected, scores_and_probabilities(fitted(n_jobs=3)), strict=True):
            np.testing.assert_array_equal(a, b)


def test_unseeded_search_over_nets_stays_random():
    first, second = (fitted(random_state=None).cv_results_["mean_test_score"] for _ in range(2))
    assert not np.array_equal(first, second)


def test_random_state_of_torch_is_left_alone():
    before = torch.get_rng_state()
    fitted()
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_diverged_net_is_a_failed_row(n_jobs):
    net = skorch.NeuralNetRegressor(
        torch.nn.Linear, module__in_features=64, module__out_features=1, train_split=None,
        verbose=0, max_epochs=20,
    )  # fmt: skip
    search = LogRandomSearchCV(net, {"lr": [1e6, 1e-5]}, n_iter=2, cv=3, n_jobs=n_jobs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, y.astype(float)[:, None])
    assert search.cv_results_["status"].tolist() == ["failed", "complete"]
    assert "diverged: train_loss is" in search.cv_results_["error"][0]


@pytest.mark.parametrize("as_given", [np.float64, np.float32, np.float16, pd.DataFrame])
@pytest.mark.parametrize("estimator", [classifier(), pipeline()], ids=["net", "pipeline"])
def test_inputs_of_another_dtype_are_cast_for_fit_and_predict(as_given, estimator):
    given = pd.DataFrame(X) if as_given is pd.DataFrame else X.astype(as_given)
    name = "lr" if isinstance(estimator, skorch.NeuralNet) else "net__lr"
    search = LogRandomSearchCV(estimator, {name: [0.1]}, n_iter=1, cv=2, random_state=0)
    search.fit(given, y.astype(np.int32))
    assert search.predict(given).shape == y.shape
    assert 0 <= search.score(given, y.astype(np.int32)) <= 1


def test_integer_targets_of_a_regressor_become_floats():
    net = skorch.NeuralNetRegressor(
        torch.nn.Linear, module__in_features=64, module__out_features=1, train_split=None,
        verbose=0, max_epochs=1, lr=1e-4,
    )  # fmt: skip
    search = LogRandomSearchCV(net, {"lr": [1e-5]}, n_iter=1, cv=2).fit(X, y[:, None])
    assert np.isfinite(search.best_score_)


def test_wrong_dtype_between_the_steps_gets_advice():
    encoder = make_column_transformer(
        (StandardScaler(), list(range(63))), (OneHotEncoder(sparse_output=False), [63])
    )
    steps = [("encode", encoder), ("net", classifier(module__n_inputs=64))]
    search = LogRandomSearchCV(Pipeline(steps), {"net__lr": [0.1]}, n_iter=1, cv=2)
    with pytest.raises(AllCandidatesFailedError, match="another dtype.*float32"):
        search.fit(pd.DataFrame(X), y)


def test_data_frame_with_text_in_front_of_a_bare_net_is_refused():
    frame = pd.DataFrame({"a": ["x", "y"] * 200, "b": X[:, 1]})
    search = LogRandomSearchCV(classifier(), {"lr": [0.1]}, n_iter=1)
    with pytest.raises(ValueError, match="columns that are not numbers"):
        search.fit(frame, y)


def train_split_warnings(estimator, space):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        LogRandomSearchCV(estimator, space, n_iter=2, cv=2, random_state=0).fit(X, y)
    return [w for w in caught if issubclass(w.category, TrainSplitWarning)]


def test_hidden_validation_split_is_warned_about_once():
    split = {"train_split": skorch.dataset.ValidSplit(5)}
    found = train_split_warnings(pipeline(**split), SPACE)
    assert len(found) == 1 and "20%" in str(found[0].message)
    assert not train_split_warnings(pipeline(), SPACE)
    assert not train_split_warnings(pipeline(callbacks=[EarlyStopping()], **split), SPACE)


def test_validation_rows_that_are_drawn_anew_are_warned_about():
    split, stop = skorch.dataset.ValidSplit, {"callbacks": [EarlyStopping()]}
    (found,) = train_split_warnings(pipeline(train_split=split(0.1), **stop), SPACE)
    assert "random_state=0" in str(found.message)
    assert not train_split_warnings(pipeline(train_split=split(0.1, random_state=0), **stop), SPACE)
    assert not train_split_warnings(pipeline(train_split=split(10), **stop), SPACE)


def test_nets_are_found_in_meta_estimators_before_and_after_fit():
    from sklearn.compose import TransformedTargetRegressor

    net = skorch.NeuralNetRegressor(
        torch.nn.Linear, module__in_features=64, module__out_features=1, verbose=0, max_epochs=1
    )
    meta = TransformedTargetRegressor(net)
    assert nets.contains_net(meta)
    assert not nets.contains_net(StandardScaler())


class DeviceReport(MLP):
    """A module that writes down the device its process sees."""

    def __init__(self, folder=None, **options):
        super().__init__(**options)
        name = f"{os.environ.get('CUDA_VISIBLE_DEVICES')}-{os.getpid()}-{threading.get_ident()}"
        open(os.path.join(folder, name), "w").close()


@pytest.mark.parametrize(("n_jobs", "n_workers"), [(None, 2), (-1, 2), (4, 4)])
def test_workers_take_the_devices_in_turn(n_jobs, n_workers, tmp_path, monkeypatch):
    # the device list is made up, and the nets train on the CPU: `device` is only looked at
    # in the process that searches
    monkeypatch.setattr(nets, "cuda_devices", lambda: ["0", "1"])
    monkeypatch.setattr(nets, "runs_on_cuda", lambda estimator: True)
    net = classifier(max_epochs=1).set_params(module=DeviceReport, module__folder=str(tmp_path))
    LogRandomSearchCV(
        net, {"lr": (1e-3, 1.0)}, n_iter=8, cv=2, n_jobs=n_jobs, refit=False
    ).fit(X, y)  # fmt: skip
    seen = {tuple(name.split("-")[:2]) for name in os.listdir(tmp_path)}
    assert len(seen) == n_workers
    devices = [device for device, _ in seen]
    assert devices.count("0") == devices.count("1") == n_workers // 2


def test_only_nets_on_cuda_without_a_number_are_spread():
    assert nets.runs_on_cuda(pipeline(device="cuda"))
    assert not nets.runs_on_cuda(pipeline(device="cuda:1"))
    assert not nets.runs_on_cuda(pipeline(device="cpu"))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_net_on_cuda_is_searched_and_refitted():
    search = LogRandomSearchCV(pipeline(device="cuda"), SPACE, n_iter=3, cv=3, random_state=0)
    search.fit(X, y)
    assert search.best_score_ > 0.3
    assert next(search.best_estimator_["net"].module_.parameters()).is_cuda


@pytest.mark.parametrize("targets", [y, y.astype(float), y.astype(np.float32)])
def test_targets_of_regressors_become_floats_whatever_the_loss(targets):
    net = skorch.NeuralNetRegressor(
        torch.nn.Linear, criterion=torch.nn.HuberLoss, module__in_features=64,
        module__out_features=1, train_split=None, verbose=0, max_epochs=1,
    )  # fmt: skip
    search = LogRandomSearchCV(net, {"lr": [1e-5]}, n_iter=1, cv=2).fit(X, targets[:, None])
    assert np.isfinite(search.best_score_)


@pytest.mark.parametrize("dtype", [int, bool, np.uint8, np.float64])
def test_targets_of_binary_classifiers_become_floats(dtype):
    net = skorch.NeuralNetBinaryClassifier(
        torch.nn.Linear, module__in_features=64, module__out_features=1, train_split=None,
        verbose=0, max_epochs=1,
    )  # fmt: skip
    search = LogRandomSearchCV(net, {"lr": [1e-3]}, n_iter=1, cv=2).fit(X, (y > 4).astype(dtype))
    assert 0 <= search.best_score_ <= 1


def test_net_that_was_fitted_before_goes_to_workers_with_a_class_of_its_own():
    class OfNotebook(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(4, 2)

        def forward(self, X):
            return self.layer(X)

    net = skorch.NeuralNetClassifier(
        OfNotebook,
        criterion=torch.nn.CrossEntropyLoss,
        max_epochs=1,
        train_split=None,
        verbose=0,
    )
    X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    y = (X[:, 0] > 0).astype(np.int64)
    space = {"lr": [0.01, 0.1]}
    search = LogRandomSearchCV(net.fit(X, y), space, n_iter=2, cv=2, n_jobs=2, random_state=0)
    assert (search.fit(X, y).cv_results_["mean_test_score"] > 0).all()


def test_states_of_nets_are_kept_where_print_is_replaced(monkeypatch, tmp_path):
    """As by Ray: the callbacks of skorch hold the `print` that it replaces."""
    net = classifier().fit(X.astype(np.float32), y)
    with monkeypatch.context() as patch:
        patch.setattr("builtins.print", lambda *args, **kwargs: None)
        save_state(net, str(tmp_path / "state"))
        again = load_state(str(tmp_path / "state"))
    np.testing.assert_array_equal(
        again.predict_proba(X.astype(np.float32)), net.predict_proba(X.astype(np.float32))
    )
