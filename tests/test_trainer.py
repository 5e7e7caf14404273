"""Searches over nets that are trained together find what they find one by one."""

import pickle
import re
import time
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
skorch = pytest.importorskip("skorch")

from sklearn.base import clone  # noqa: E402
from sklearn.datasets import load_diabetes, load_digits  # noqa: E402
from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.pipeline import Pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from skorch.callbacks import (  # noqa: E402
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    GradientNormClipping,
    LRScheduler,
)
from skorch.dataset import ValidSplit  # noqa: E402
from torch import nn  # noqa: E402
from torch.optim.lr_scheduler import (  # noqa: E402
    CosineAnnealingLR,
    LinearLR,
    ReduceLROnPlateau,
    StepLR,
)

from sklearn_hpt import (  # noqa: E402
    BayesSearchCV,
    CoarseToFineSearchCV,
    LogRandomSearchCV,
    PBTSearchCV,
    nets,
)
from sklearn_hpt._evaluation import EvaluationPlan, Task  # noqa: E402
from sklearn_hpt._executors._stacked import StackedExecutor  # noqa: E402
from sklearn_hpt.exceptions import SearchStoppedWarning, TrainerWarning  # noqa: E402
from sklearn_hpt.nets._suitable import are_enough  # noqa: E402

X, Y = load_digits(return_X_y=True)
X, Y = X[:300].astype(np.float32) / 16, Y[:300]
SPACE = {
    "lr": (1e-2, 0.3, "log-uniform"),
    "optimizer__momentum": (0.1, 0.9, "log-complement"),
    "batch_size": [32, 64],
    "module__hidden": [8, 16],
}


class MLP(nn.Module):
    def __init__(self, hidden=8, dropout=0.0):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(64, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, 10)
        )

    def forward(self, X):
        return self.layers(X)


class Recurrent(nn.Module):
    def __init__(self, hidden=8):
        super().__init__()
        self.lstm, self.out = nn.LSTM(8, hidden, batch_first=True), nn.Linear(hidden, 10)

    def forward(self, X):
        return self.out(self.lstm(X.reshape(-1, 8, 8))[0][:, -1])


class Undecided(MLP):
    def forward(self, X):
        return self.layers(X) if X.mean() > 0.3 else 2 * self.layers(X)


class OwnStep(skorch.NeuralNetClassifier):
    def train_step_single(self, batch, **fit_params):
        return super().train_step_single(batch, **fit_params)


def net(cls=skorch.NeuralNetClassifier, module=MLP, **options):
    options = {"max_epochs": 6, "train_split": None, "verbose": 0, "lr": 0.1, **options}
    return cls(module, criterion=nn.CrossEntropyLoss, iterator_train__shuffle=True, **options)


SEARCHES = {
    "random": lambda model, space, **s: LogRandomSearchCV(model, space, n_iter=6, **s),
    "coarse to fine": lambda model, space, **s: CoarseToFineSearchCV(model, space, n_iter=8, **s),
    "bayes": lambda model, space, **s: BayesSearchCV(model, space, n_iter=8, n_points=4, **s),
    "population": lambda model, space, **s: PBTSearchCV(
        model, space, population_size=4, n_generations=3, **s
    ),
}


def fit(kind, model, space=SPACE, **settings):
    return SEARCHES[kind](model, space, **{"cv": 2, "random_state": 0, **settings}).fit(X, Y)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=[] if kind in ("random", "population") else pytest.mark.slow)
        for kind in SEARCHES
    ],
)
def test_training_together_gives_the_scores_of_training_one_by_one(kind):
    alone, together = (fit(kind, net(), trainer=trainer) for trainer in ("sequential", "batched"))
    np.testing.assert_allclose(
        together.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"], atol=0.01
    )
    assert together.best_params_ == alone.best_params_
    np.testing.assert_allclose(together.predict_proba(X), alone.predict_proba(X), atol=1e-4)
    again = pickle.loads(pickle.dumps(together.best_estimator_))
    np.testing.assert_array_equal(again.predict_proba(X), together.predict_proba(X))
    assert len(together.best_estimator_.history) == together.best_estimator_.max_epochs


def test_a_pipeline_is_trained_together_with_its_first_steps_fitted_on_each_fold():
    model = Pipeline([("scale", StandardScaler()), ("net", net())])
    space = {f"net__{name}": values for name, values in SPACE.items()}
    alone, together = (
        fit("population", model, space, trainer=trainer) for trainer in ("sequential", "batched")
    )
    np.testing.assert_allclose(
        together.population_history_["mean_test_score"],
        alone.population_history_["mean_test_score"],
        atol=0.01,
    )


def test_regressors_and_other_metrics():
    numbers, target = (part.astype(np.float32) for part in load_diabetes(return_X_y=True))
    target = ((target - target.mean()) / target.std())[:, None]

    class Line(nn.Module):
        def __init__(self):
            super().__init__()
            self.out = nn.Linear(10, 1)

        def forward(self, X):
            return self.out(X)

    model = skorch.NeuralNetRegressor(Line, train_split=None, verbose=0, max_epochs=10)
    space = {"lr": (1e-3, 1e-1, "log-uniform"), "optimizer__weight_decay": [0.0, 1e-3]}
    alone, together = (
        LogRandomSearchCV(
            model,
            space,
            n_iter=5,
            random_state=0,
            scoring=["r2", "neg_mean_absolute_error"],
            refit="r2",
            return_train_score=True,
            trainer=trainer,
        ).fit(numbers, target)
        for trainer in ("sequential", "batched")
    )
    for name, column in alone.cv_results_.items():
        if name.startswith(("mean_test", "mean_train")):
            np.testing.assert_allclose(together.cv_results_[name], column, atol=1e-5)


@pytest.mark.parametrize("dropout", [pytest.param(0.0, marks=pytest.mark.slow), 0.5])
def test_neither_the_number_of_workers_nor_a_second_run_changes_anything(dropout):
    one, other, again = (
        fit("population", net(module__dropout=dropout), n_jobs=n_jobs, trainer="batched")
        for n_jobs in (1, 2, 1)
    )
    for found in (other, again):
        np.testing.assert_array_equal(
            found.population_history_["mean_test_score"], one.population_history_["mean_test_score"]
        )
        np.testing.assert_array_equal(found.predict_proba(X), one.predict_proba(X))


def test_a_search_that_was_cut_off_goes_on_where_it_was(tmp_path):
    journal = tmp_path / "search.jsonl"
    whole = fit("population", net(), trainer="batched", journal=journal)
    lines = journal.read_text().splitlines(keepends=True)
    for n_lines in (len(lines) // 3, len(lines) // 2, len(lines) - 5):
        cut = tmp_path / f"{n_lines}.jsonl"
        cut.write_text("".join(lines[:n_lines]))
        resumed = fit("population", net(), trainer="batched", journal=cut)
        np.testing.assert_allclose(
            resumed.population_history_["mean_test_score"],
            whole.population_history_["mean_test_score"],
            atol=1e-12,
        )
        assert resumed.best_params_ == whole.best_params_


def test_a_net_that_diverges_is_a_row_and_the_others_go_on():
    with pytest.warns(Warning, match="fits failed"):
        found = fit("random", net(), {"lr": [1e30, 0.1, 0.05]}, trainer="batched")
    by_rate = dict(
        zip(found.cv_results_["param_lr"].tolist(), found.cv_results_["status"], strict=True)
    )
    assert by_rate == {1e30: "failed", 0.1: "complete", 0.05: "complete"}
    assert "diverged" in " ".join(found.cv_results_["error"])


def test_a_candidate_that_cannot_be_made_is_a_row():
    with pytest.warns(Warning, match="fits failed"):
        found = fit("random", net(), {"module__hidden": [8, -3]}, trainer="batched")
    assert sorted(found.cv_results_["status"]) == ["complete", "failed"]


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (lambda: net(module=Recurrent), "."),
        (lambda: net(module=Undecided), "data-dependent|control flow"),
        (lambda: net(OwnStep), "OwnStep has a train_step_single of its own"),
        (lambda: net(callbacks=[GradientNormClipping(1.0)]), "callback GradientNormClipping"),
        (lambda: net(callbacks=[LRScheduler(StepLR, step_size=9, step_every="batch")]), "LRSched"),
        (lambda: net(iterator_train__num_workers=0), "iterator_train__num_workers is set"),
    ],
    ids=["LSTM", "control flow", "own step", "gradients", "batches", "loader"],
)
def test_what_cannot_be_trained_together_is_said_once_and_trained_one_by_one(model, why):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        together = fit("random", model(), {"lr": SPACE["lr"]}, trainer="auto")
    (warning,) = [w for w in caught if w.category is TrainerWarning]
    assert warning.filename == __file__
    assert str(warning.message).startswith("Each net is trained by itself")
    assert re.search(why, str(warning.message))
    alone = fit("random", model(), {"lr": SPACE["lr"]}, trainer="sequential")
    np.testing.assert_array_equal(
        together.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
    )


class FailsAt(Callback):
    def __init__(self, rate):
        self.rate = rate

    def on_epoch_end(self, net, **kwargs):
        if net.lr > self.rate and len(net.history) == 2:
            raise ArithmeticError("I do not like this rate")


WATCHED = {
    "validation": {"train_split": ValidSplit(5)},
    "early stopping": {
        "train_split": ValidSplit(4, stratified=True),
        "callbacks": [EarlyStopping("valid_loss", patience=2, threshold=0.05, load_best=True)],
        "max_epochs": 30,
    },
    "schedule": {"callbacks": [LRScheduler(CosineAnnealingLR, T_max=6)]},
    "plateau": {
        "train_split": ValidSplit(5),
        "callbacks": [LRScheduler(ReduceLROnPlateau, monitor="valid_loss", patience=0)],
        "max_epochs": 15,
    },
    "scores": {
        "train_split": ValidSplit(0.3, random_state=0),
        "callbacks": [("f1", EpochScoring("f1_macro", lower_is_better=False))],
    },
    "a failure": {"callbacks": [FailsAt(0.1)]},
}


@pytest.mark.parametrize("kind", ["random", pytest.param("population", marks=pytest.mark.slow)])
@pytest.mark.parametrize("options", WATCHED.values(), ids=WATCHED.keys())
@pytest.mark.filterwarnings("ignore:.*fits failed", "ignore:One or more of the test scores")
def test_validation_and_callbacks_do_together_what_they_do_alone(options, kind):
    space = {"lr": (1e-2, 0.5, "log-uniform"), "batch_size": [32, 64], "module__hidden": [8, 16]}
    if kind == "population" and "lr_scheduler" in str(options.get("callbacks")):
        space.pop("lr")
    rows = []
    for trainer in ("sequential", "batched"):
        with warnings.catch_warnings():
            warnings.simplefilter("error", TrainerWarning)
            rows.append(fit(kind, net(**options), space, trainer=trainer))
    alone, together = rows
    if "status" in alone.cv_results_:
        np.testing.assert_array_equal(together.cv_results_["status"], alone.cv_results_["status"])
    np.testing.assert_allclose(
        together.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"], atol=0.01
    )
    histories = [found.best_estimator_.history for found in rows]
    assert len(histories[0]) == len(histories[1])


@pytest.mark.parametrize("options", WATCHED.values(), ids=WATCHED.keys())
def test_the_history_of_a_net_with_callbacks_is_what_it_would_be_alone(options):
    """The nets are looked at where they are scored: those that are trained in the search."""
    seen = {}

    def score(model, X, y):
        keep = [
            {k: v for k, v in row.items() if k not in ("dur", "batches")} for row in model.history
        ]
        n_batches = [[len(row["batches"]), row["train_batch_count"]] for row in model.history]
        seen.setdefault(trainer, []).append((keep, n_batches, model.module_.training))
        return model.score(X, y)

    for trainer in ("sequential", "batched"):
        LogRandomSearchCV(
            net(**options),
            {"lr": [0.02, 0.11]},
            cv=2,
            refit=False,
            scoring=score,
            trainer=trainer,
            random_state=0,
        ).fit(X, Y)
    assert len(seen["sequential"]) >= 2
    for one, other in zip(seen["sequential"], seen["batched"], strict=True):
        assert one[1:] == other[1:]
        assert len(one[0]) == len(other[0])
        for epoch, same in zip(one[0], other[0], strict=True):
            assert epoch.keys() == same.keys()
            np.testing.assert_allclose(
                [float(v) for v in same.values()], [float(v) for v in epoch.values()], rtol=1e-4
            )


SCHEDULES = {
    "steps": (
        LRScheduler(StepLR, step_size=2, gamma=0.5),
        {"gamma": (0.1, 1.0), "step_size": [1, 2, 3]},
    ),
    "cosine": (LRScheduler(CosineAnnealingLR, T_max=6), {"T_max": (2, 12)}),
    "warm-up": (LRScheduler(LinearLR, start_factor=0.1, total_iters=3), {"total_iters": [1, 5]}),
}


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["steps", "cosine", "warm-up"])
def test_schedules_of_the_rate_are_tuned_as_any_parameter(kind, n_jobs):
    schedule, of_schedule = SCHEDULES[kind]
    space = {f"callbacks__schedule__{name}": values for name, values in of_schedule.items()}
    space["lr"] = (0.05, 0.5, "log-uniform")
    model = net(callbacks=[("schedule", schedule)])
    seen = {}

    for trainer in ("sequential", "batched"):
        found = fit("random", model, space, trainer=trainer, n_jobs=n_jobs)
        seen[trainer] = found.cv_results_["mean_test_score"]
        best = dict(found.best_estimator_.callbacks_)["schedule"]
        for name in of_schedule:
            assert (
                getattr(best, name, best.kwargs.get(name))
                == (found.best_params_[f"callbacks__schedule__{name}"])
            )
        rates = found.best_estimator_.history[:, "event_lr"]
        assert rates[0] != rates[-1] or found.best_params_.get("callbacks__schedule__gamma") == 1.0
    np.testing.assert_allclose(seen["batched"], seen["sequential"], atol=0.01)


def test_early_stopping_spares_epochs_of_a_group():
    options = {"train_split": ValidSplit(4), "max_epochs": 40}
    stopping = EarlyStopping("valid_loss", patience=2, threshold=0.01)
    lengths = []

    def score(model, X, y):
        lengths.append(len(model.history))
        return model.score(X, y)

    fit("random", net(callbacks=[stopping], **options), trainer="batched", scoring=score)
    assert len(set(lengths)) > 1 and min(lengths) < 40


def test_checkpoints_are_written_as_alone(tmp_path):
    model = net(train_split=ValidSplit(5))
    for trainer in ("sequential", "batched"):
        LogRandomSearchCV(
            clone(model).set_params(callbacks=[Checkpoint(dirname=tmp_path / trainer)]),
            {"lr": [0.1]},
            cv=2,
            refit=False,
            trainer=trainer,
        ).fit(X, Y)
    names = [sorted(p.name for p in (tmp_path / t).iterdir()) for t in ("sequential", "batched")]
    assert names[0] == names[1] and "params.pt" in names[0]


def test_estimators_that_are_no_nets_are_not_concerned():
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrainerWarning)
        fit("random", LogisticRegression(), {"C": [0.1, 1.0]}, trainer="batched")


def test_a_candidate_that_may_have_to_be_killed_is_trained_by_itself():
    with pytest.warns(TrainerWarning, match="processes that can be killed"):
        fit("random", net(), {"lr": [0.1]}, trainer="auto", candidate_timeout=60)


def test_few_nets_of_an_architecture_are_trained_one_by_one_by_auto():
    """Three sizes on two folds: groups of two, which cost more together than alone."""
    space = {"lr": [0.1], "module__hidden": [8, 16, 24]}
    alone, auto, many = (
        fit("random", net(), {**space, **rates}, trainer=trainer, refit=False)
        for trainer, rates in (
            ("sequential", {}),
            ("auto", {}),
            ("auto", {"lr": [0.05, 0.1], "module__hidden": [8]}),
        )
    )
    np.testing.assert_array_equal(
        auto.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
    )
    nets_of = [net(batch_size=size) for size in (32, 32, 64, 64)]
    assert are_enough([net()] * 4) and not are_enough([net()] * 3)
    assert not are_enough(nets_of) and are_enough(nets_of * 2)
    assert not are_enough([net(train_split=ValidSplit(5))] * 5)
    assert len(many.cv_results_["params"]) == 2


def test_a_timeout_ends_nets_that_are_trained_together():
    space = {"lr": (1e-2, 0.3, "log-uniform")}
    settings = {"cv": 2, "random_state": 0, "trainer": "batched", "refit": False}
    patient = LogRandomSearchCV(net(max_epochs=40), space, n_iter=4, **settings).fit(X, Y)
    hurried = LogRandomSearchCV(
        net(max_epochs=40), space, n_iter=10**6, timeout=2 * patient.search_time_ + 2, **settings
    )
    with pytest.warns(SearchStoppedWarning):
        hurried.fit(X, Y)
    assert hurried.stop_reason_ == "timeout"
    assert hurried.search_time_ < 2 * hurried.timeout
    # what was trained in time counts, eight nets at first and then as many as fit
    first = {n: v[:4] for n, v in hurried.cv_results_.items() if n.startswith("split")}
    for name, scores in first.items():
        np.testing.assert_allclose(scores, patient.cv_results_[name], atol=0.02)


def test_a_group_that_would_not_be_done_in_time_is_given_up():
    plan = EvaluationPlan(net(max_epochs=2_000), X, Y, [(np.arange(200), np.arange(200, 300))], len)
    executor = StackedExecutor(plan, start_other=pytest.fail, is_forced=True)
    for trial in range(20):
        executor.submit(Task(trial, 0, {"lr": 0.01 * (trial + 1)}, seed=trial))
    started = time.monotonic()
    assert executor.wait(0.5) == []
    assert time.monotonic() - started < 8  # twice that, if it went on
    executor.close()


# one by one, without a DataLoader


@pytest.mark.parametrize("cls", [skorch.NeuralNetClassifier, OwnStep])
def test_lean_loading_gives_the_bits_of_a_data_loader(cls):
    one, other = (net(cls, module__dropout=0.3, batch_size=50) for _ in range(2))
    y = Y.astype("int64")
    with nets.reproducible(one, 5):
        one.fit(X, y)
    with nets.reproducible(other, 5), nets.lean_loading(other):
        other.fit(X, y)
        predicted = other.predict_proba(X)
    for a, b in zip(one.module_.parameters(), other.module_.parameters(), strict=True):
        assert torch.equal(a, b)
    np.testing.assert_array_equal(one.predict_proba(X), predicted)
    assert other.iterator_train is torch.utils.data.DataLoader
    assert clone(other).get_params()["iterator_train"] is torch.utils.data.DataLoader
    np.testing.assert_array_equal(one.history[:, "train_loss"], other.history[:, "train_loss"])


def test_lean_loading_leaves_other_loaders_alone():
    class Loader(torch.utils.data.DataLoader):
        pass

    for model in (net(iterator_train=Loader), net(iterator_valid__num_workers=0)):
        before = model.iterator_train
        with nets.lean_loading(model):
            assert model.iterator_train is before


# found by a review: each was silently wrong


def test_rows_as_the_resource_do_not_become_epochs():
    epochs = []

    def score(model, X, y):
        epochs.append(len(model.history))
        return model.score(X, y)

    settings = {"cv": 2, "random_state": 0, "resource": "n_samples", "scoring": score}
    with pytest.warns(TrainerWarning, match="n_samples is the resource"):
        CoarseToFineSearchCV(
            net(), {"lr": SPACE["lr"]}, n_iter=4, trainer="batched", **settings
        ).fit(X, Y)
    assert set(epochs) == {6}


def test_what_changes_in_a_criterion_is_each_members_own():
    space = {"lr": (0.1, 0.3), "criterion__label_smoothing": (0.0, 0.9)}
    settings = {"n_generations": 4, "burn_in": 0, "resample": 1.0, "scoring": "neg_log_loss"}
    alone, together = (
        PBTSearchCV(
            net(max_epochs=8),
            space,
            population_size=4,
            cv=2,
            random_state=0,
            trainer=trainer,
            refit=False,
            **settings,
        ).fit(X, Y)
        for trainer in ("sequential", "batched")
    )
    np.testing.assert_allclose(
        together.population_history_["mean_test_score"],
        alone.population_history_["mean_test_score"],
        atol=1e-4,
    )


class Scale(nn.Module):
    def __init__(self, by):
        super().__init__()
        self.by = by

    def forward(self, X):
        return self.by * X


class WithLayer(nn.Module):
    def __init__(self, layer=None):
        super().__init__()
        self.layers = nn.Sequential(layer, nn.Linear(64, 10))

    def forward(self, X):
        return self.layers(X)


def test_layers_that_print_alike_are_not_taken_to_be_equal():
    space = {"module__layer": [Scale(0.1), Scale(3.0)], "lr": [0.1, 0.2]}
    alone, together = (
        fit("random", net(module=WithLayer), space, trainer=trainer, refit=False)
        for trainer in ("sequential", "batched")
    )
    np.testing.assert_allclose(
        together.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"], atol=0.01
    )


def test_first_steps_that_give_no_array_are_trained_one_by_one():
    texts = np.array([f"word{i % 7} other{i % 3}" for i in range(60)])
    labels = np.arange(60) % 7
    model = Pipeline(
        [("tf", TfidfVectorizer(dtype=np.float32)), ("net", net(module=Bag, max_epochs=10))]
    )
    with pytest.warns(TrainerWarning, match="give a csr_"):
        found = PBTSearchCV(
            model, {"net__lr": (0.1, 1.0)}, population_size=4, n_generations=2, cv=2, random_state=0
        ).fit(texts, labels)
    assert found.best_score_ > 0.5


class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(10, 7)

    def forward(self, X):
        return self.out(X)


class OwnPipeline(Pipeline):
    pass


class OwnLoss(skorch.NeuralNetClassifier):
    def get_loss(self, y_pred, y_true, *args, **kwargs):
        return super().get_loss(y_pred, y_true, *args, **kwargs) * len(self.history)


@pytest.mark.parametrize(
    ("model", "rate", "why"),
    [
        (lambda: OwnPipeline([("s", StandardScaler()), ("net", net())]), "net__lr", "OwnPipeline"),
        (lambda: net(OwnLoss), "lr", "get_loss of its own"),
    ],
)
def test_what_may_train_otherwise_is_trained_one_by_one(model, rate, why):
    with pytest.warns(TrainerWarning, match=why):
        fit("random", model(), {rate: SPACE["lr"]}, trainer="auto", refit=False)


def test_a_search_with_dropout_resumes_to_the_same_results(tmp_path):
    """Cut between two generations, where nothing of a group is half written."""
    journal = tmp_path / "search.jsonl"
    model = net(module__dropout=0.5)
    whole = fit("population", model, trainer="batched", journal=journal)
    lines = journal.read_text().splitlines(keepends=True)
    n_folds = [i for i, line in enumerate(lines) if '"kind":"fold"' in line]
    cut = tmp_path / "cut.jsonl"
    cut.write_text("".join(lines[: n_folds[4 * 2 - 1] + 1]))  # the first generation
    resumed = fit("population", model, trainer="batched", journal=cut)
    np.testing.assert_array_equal(
        resumed.population_history_["mean_test_score"], whole.population_history_["mean_test_score"]
    )
