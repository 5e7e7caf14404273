"""Training in stages: where it was interrupted does not show in what has been learned."""

import pickle
import warnings
from contextlib import nullcontext

import cloudpickle
import numpy as np
import pytest
from sklearn.base import clone, is_regressor
from sklearn.datasets import load_diabetes, load_wine
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Perceptron, SGDClassifier, SGDRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

from sklearn_hpt import nets
from sklearn_hpt._training import (
    check_resource,
    continues,
    default_resource,
    resolve_resource,
    train,
)
from sklearn_hpt.steppers import _growth, _passes

WINE = load_wine()
DIABETES = load_diabetes()
CLASSES = scale(WINE.data)[::2].astype(np.float32), WINE.target[::2]
NUMBERS = scale(DIABETES.data)[:90].astype(np.float32), scale(DIABETES.target)[:90]
STAGES = (2, 3, 7)


def data_for(estimator):
    return NUMBERS if is_regressor(estimator) else CLASSES


def in_stages(estimator, name, stages=STAGES, cuts=(), fit_params=None, data=None, params=None):
    """Train a clone, pickled and unpickled after each of the stages in `cuts`."""
    estimator, n_done = clone(estimator), 0
    X, y = data or data_for(estimator)

    def stage_context(i):
        return nets.reproducible(estimator, 100 + i, 1)

    for upto in (*cuts, len(stages)):
        estimator = pickle.loads(cloudpickle.dumps(estimator))
        of_stages = None if params is None else params[:upto]
        train(
            estimator,
            X,
            y,
            fit_params or {},
            name,
            stages[:upto],
            n_done,
            stage_context,
            params=of_stages,
        )
        n_done = upto
    return estimator


def learned(estimator):
    """Return predictions, and coefficients or probabilities where there are any."""
    X, _ = data_for(estimator)
    model = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    found = [estimator.predict(X)]
    found += [estimator.predict_proba(X)] if hasattr(estimator, "predict_proba") else []
    found += [*getattr(model, "coefs_", [])] + [getattr(model, "coef_", 0.0)]
    if hasattr(model, "module_"):
        found += [value.numpy() for value in model.module_.state_dict().values()]
    return found


def assert_same(one, other):
    for a, b in zip(learned(one), learned(other), strict=True):
        np.testing.assert_array_equal(a, b)


GROWING = [
    (RandomForestClassifier(random_state=3, max_depth=3), "n_estimators"),
    (RandomForestClassifier(random_state=3, oob_score=False, class_weight={0: 2}), "n_estimators"),
    (RandomForestRegressor(random_state=3, max_samples=0.5, bootstrap=True), "n_estimators"),
    (ExtraTreesClassifier(random_state=3), "n_estimators"),
    (ExtraTreesRegressor(random_state=3, bootstrap=True), "n_estimators"),
    (BaggingClassifier(random_state=3, max_features=0.5), "n_estimators"),
    (BaggingClassifier(DecisionTreeClassifier(max_features=2), random_state=3), "n_estimators"),
    (BaggingRegressor(random_state=3, bootstrap=False, max_samples=0.5), "n_estimators"),
    (GradientBoostingClassifier(random_state=3, subsample=0.7, max_features=3), "n_estimators"),
    (GradientBoostingRegressor(random_state=3, subsample=0.7), "n_estimators"),
    (HistGradientBoostingClassifier(random_state=3, max_features=0.5), "max_iter"),
    (HistGradientBoostingClassifier(random_state=None), "max_iter"),
    (HistGradientBoostingRegressor(random_state=3, early_stopping=True), "max_iter"),
]
STOPPING = [
    (
        HistGradientBoostingRegressor(
            random_state=3, early_stopping=True, n_iter_no_change=1, tol=1.0
        ),
        "max_iter",
    ),
]
PASSING = [
    (SGDClassifier(tol=None, random_state=3, loss="log_loss", average=True), "max_iter"),
    (SGDClassifier(tol=None, random_state=3, class_weight={0: 2.0}, penalty="l1"), "max_iter"),
    (SGDRegressor(tol=None, random_state=3, average=10), "max_iter"),
    (SGDRegressor(tol=None, random_state=3, learning_rate="constant", eta0=0.001), "max_iter"),
    (Perceptron(tol=None, random_state=3), "max_iter"),
    (MLPClassifier(random_state=3, hidden_layer_sizes=(5,)), "max_iter"),
    (
        MLPClassifier(
            random_state=3, hidden_layer_sizes=(5,), solver="sgd", learning_rate="adaptive"
        ),
        "max_iter",
    ),
    (MLPRegressor(random_state=3, hidden_layer_sizes=(5,), batch_size=20), "max_iter"),
]


def passive_aggressive():
    found = dict(all_estimators())
    names = ["PassiveAggressiveClassifier", "PassiveAggressiveRegressor"]
    return [name for name in names if name in found]  # deprecated, gone in scikit-learn 1.10


def pytest_id(value):
    return type(value).__name__ if hasattr(value, "fit") else str(value)


def in_pipeline(estimator):
    return Pipeline([("scale", StandardScaler()), ("no", "passthrough"), ("last", estimator)])


@pytest.mark.parametrize(("estimator", "name"), GROWING + STOPPING + PASSING, ids=pytest_id)
def test_an_interruption_does_not_show(estimator, name):
    assert continues(estimator, name)
    whole = in_stages(estimator, name)
    assert_same(whole, in_stages(estimator, name, cuts=(1,)))


CHANGING = [
    (
        HistGradientBoostingClassifier(random_state=3, max_features=0.5),
        "max_iter",
        {"learning_rate": (0.1, 0.5, 0.05), "max_leaf_nodes": (31, 4, 8)},
    ),
    (RandomForestClassifier(random_state=3), "n_estimators", {"max_depth": (1, 5, 2)}),
    (SGDClassifier(tol=None, random_state=3), "max_iter", {"alpha": (1.0, 1e-4, 0.1)}),
    (
        MLPClassifier(random_state=3, hidden_layer_sizes=(5,)),
        "max_iter",
        {"learning_rate_init": (0.1, 0.001, 0.03), "beta_1": (0.5, 0.9, 0.8)},
    ),
    (
        in_pipeline(MLPRegressor(random_state=3, hidden_layer_sizes=(5,), solver="sgd")),
        "last__max_iter",
        {"last__learning_rate_init": (0.01, 0.001, 0.03), "last__momentum": (0.5, 0.9, 0.0)},
    ),
]


def check_changes(estimator, name, values):
    """An interruption does not show where hyperparameters change; and they do take effect."""
    params = [
        dict(zip(values, of_stage, strict=True)) for of_stage in zip(*values.values(), strict=True)
    ]
    estimator = clone(estimator).set_params(**params[0])
    whole = in_stages(estimator, name, params=params)
    for cuts in [(1,), (2,), (1, 2)]:
        assert_same(whole, in_stages(estimator, name, cuts=cuts, params=params))
    assert params[-1].items() <= whole.get_params().items()
    unchanged = in_stages(estimator, name)
    same = [np.array_equal(a, b) for a, b in zip(learned(whole), learned(unchanged), strict=True)]
    assert not all(same)


@pytest.mark.parametrize(("estimator", "name", "values"), CHANGING, ids=pytest_id)
def test_an_interruption_does_not_show_where_hyperparameters_change(estimator, name, values):
    check_changes(estimator, name, values)


def test_what_is_fitted_anew_has_the_last_hyperparameters():
    model = SGDClassifier(random_state=3, alpha=1.0)  # with a tol it does not continue
    params = [{"alpha": 1.0}, {"alpha": 1e-4}]
    trained = in_stages(model, "max_iter", (50, 100), params=params)
    assert_same(trained, clone(model).set_params(max_iter=100, alpha=1e-4).fit(*CLASSES))


@pytest.mark.parametrize("class_name", passive_aggressive())
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_an_interruption_does_not_show_in_passive_aggressive_models(class_name):
    estimator = dict(all_estimators())[class_name](random_state=3, average=True, tol=None)
    assert continues(estimator, "max_iter")
    assert_same(in_stages(estimator, "max_iter"), in_stages(estimator, "max_iter", cuts=(1,)))


def test_every_class_of_the_table_is_tested():
    tested = {type(estimator).__name__ for estimator, _ in GROWING + PASSING}
    known = {*_growth.RESOURCES, *_passes.MUTABLE}
    assert tested | {*passive_aggressive()} == known & {*dict(all_estimators())}


@pytest.mark.parametrize(("estimator", "name"), GROWING, ids=pytest_id)
def test_growing_gives_what_a_plain_fit_gives(estimator, name):
    plain = clone(estimator).set_params(**{name: 7}).fit(*data_for(estimator))
    assert_same(plain, in_stages(estimator, name, (7,)))
    assert_same(plain, in_stages(estimator, name, STAGES, cuts=(2,)))


@pytest.mark.parametrize(("estimator", "name"), STOPPING, ids=pytest_id)
def test_what_has_stopped_stays_stopped(estimator, name):
    trained = in_stages(estimator, name, (6, 20, 40), cuts=(1,))
    plain = clone(estimator).set_params(**{name: 40}).fit(*NUMBERS)
    attribute = "n_iter_" if name == "max_iter" else "n_estimators_"
    assert getattr(trained, attribute) == getattr(plain, attribute) < 6
    assert trained.get_params()[name] == 40


@pytest.mark.parametrize(("estimator", "name"), STOPPING, ids=pytest_id)
def test_what_stops_just_at_the_end_of_a_stage_stays_stopped(estimator, name):
    plain = clone(estimator).set_params(**{name: 40}).fit(*NUMBERS)
    trained = in_stages(estimator, name, (plain.n_iter_, 40), cuts=(1,))
    assert trained.n_iter_ == plain.n_iter_
    assert_same(trained, plain)


def test_an_mlp_starts_as_in_fit_and_stops_by_tol():
    mlp = MLPClassifier(hidden_layer_sizes=(5,), random_state=3, n_iter_no_change=3, tol=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one pass is not enough
        first = clone(mlp).set_params(max_iter=1).fit(*CLASSES)
    assert_same(first, in_stages(mlp, "max_iter", (1,)))
    trained = in_stages(mlp, "max_iter", (2, 20, 60), cuts=(1, 2))
    assert 4 <= trained.n_iter_ < 20
    assert_same(trained, in_stages(mlp, "max_iter", (2, 20, 60)))


@pytest.mark.parametrize(("estimator", "name"), [GROWING[0], GROWING[10], PASSING[0], PASSING[5]])
def test_a_pipeline_trains_its_last_step(estimator, name):
    pipeline, full = in_pipeline(estimator), f"last__{name}"
    assert continues(pipeline, full)
    whole = in_stages(pipeline, full)
    assert_same(whole, in_stages(pipeline, full, cuts=(2,)))
    X, y = CLASSES
    last = in_stages(estimator, name, data=(StandardScaler().fit_transform(X), y))
    np.testing.assert_array_equal(whole.predict(X), last.predict(StandardScaler().fit_transform(X)))


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize(("estimator", "name"), [GROWING[0], GROWING[8], GROWING[10], PASSING[0]])
def test_parameters_are_left_as_the_user_has_them(estimator, name, warm_start):
    estimator = clone(estimator).set_params(warm_start=warm_start)
    trained = in_stages(estimator, name, cuts=(1,))
    assert trained.get_params() == estimator.set_params(**{name: STAGES[-1]}).get_params()


@pytest.mark.parametrize(
    ("estimator", "name"), [GROWING[0], GROWING[6], GROWING[8], GROWING[10], PASSING[0], PASSING[5]]
)
def test_sample_weights_are_passed_on(estimator, name):
    X, y = CLASSES
    weights = {"sample_weight": np.where(y == 0, 5.0, 0.1)}
    assert continues(estimator, name, weights)
    trained = in_stages(estimator, name, cuts=(1,), fit_params=weights)
    assert_same(trained, in_stages(estimator, name, fit_params=weights))
    without = in_stages(estimator, name)
    assert any(np.any(a != b) for a, b in zip(learned(trained), learned(without), strict=True))


ANEW = [
    (GradientBoostingRegressor(random_state=3, n_iter_no_change=1), "n_estimators"),
    (RandomForestClassifier(), "n_estimators"),
    (RandomForestClassifier(random_state=np.random.RandomState(0)), "n_estimators"),
    (RandomForestClassifier(random_state=0, class_weight="balanced"), "n_estimators"),
    (RandomForestClassifier(random_state=0), "max_depth"),
    (BaggingClassifier(random_state=0, oob_score=True), "n_estimators"),
    (SGDClassifier(tol=None), "max_iter"),
    (SGDClassifier(random_state=0), "max_iter"),  # stops by `tol`
    (Perceptron(random_state=0), "max_iter"),
    (SGDClassifier(tol=None, random_state=0, early_stopping=True), "max_iter"),
    (SGDClassifier(tol=None, random_state=0, class_weight="balanced"), "max_iter"),
    (SGDClassifier(tol=None, random_state=0, learning_rate="adaptive", eta0=0.1), "max_iter"),
    (MLPClassifier(random_state=0, solver="lbfgs"), "max_iter"),
    (MLPClassifier(random_state=0, early_stopping=True), "max_iter"),
    (LogisticRegression(random_state=0, warm_start=True), "max_iter"),
    (
        make_pipeline(PCA(random_state=None), SGDClassifier(tol=None, random_state=0)),
        "sgdclassifier__max_iter",
    ),
    (
        make_pipeline(StandardScaler(), SGDClassifier(tol=None, random_state=0), memory="x"),
        "sgdclassifier__max_iter",
    ),
    (
        make_pipeline(PCA(2, random_state=0), SGDClassifier(tol=None, random_state=0)),
        "pca__n_components",
    ),
]


@pytest.mark.parametrize(("estimator", "name"), ANEW, ids=pytest_id)
def test_what_would_not_be_the_same_model_is_fitted_anew(estimator, name):
    assert not continues(estimator, name)


def test_derived_classes_are_fitted_anew():
    class Forest(RandomForestClassifier):
        """Could have a `fit` of its own."""

    assert not continues(Forest(random_state=0), "n_estimators")


def test_fit_params_that_cannot_be_passed_on_need_a_fit():
    weights = {"sample_weight": np.ones(3)}
    sgd = SGDClassifier(tol=None, random_state=0)
    assert continues(sgd, "max_iter", weights)
    assert not continues(sgd, "max_iter", {"coef_init": 0})
    assert not continues(in_pipeline(sgd), "last__max_iter", {"last__sample_weight": np.ones(3)})


def test_the_amount_spent_is_returned():
    def spent(estimator, name, stages, n_done):
        return train(estimator, *CLASSES, {}, name, stages, n_done, lambda i: nullcontext())

    forest = RandomForestClassifier(random_state=0)
    assert [spent(forest, "n_estimators", (2, 5), 0), spent(forest, "n_estimators", (2, 5, 9), 2)]
    assert len(forest.estimators_) == 9
    assert spent(forest, "n_estimators", (2, 5, 9), 3) == 0
    assert spent(RandomForestClassifier(), "n_estimators", (2, 5, 9), 2) == 9


@pytest.mark.parametrize("n_done", [0, 1])
def test_what_is_fitted_anew_forgets_what_it_was(n_done):
    entered = []

    def stage_context(i):
        entered.append(i)
        return nullcontext()

    model = LogisticRegression(warm_start=True, C=5).set_params(max_iter=1)
    with pytest.warns(UserWarning):
        model.fit(*CLASSES)
    with pytest.warns(UserWarning):
        train(model, *CLASSES, {}, "max_iter", (2, 4), n_done, stage_context)
    with pytest.warns(UserWarning):
        plain = LogisticRegression(C=5, max_iter=4).fit(*CLASSES)
    assert_same(model, plain)
    assert model.warm_start and entered == [1]


# Nets


def net(callbacks=None, **options):
    """Return a net that draws at random (dropout, order of rows) while it trains."""
    torch = pytest.importorskip("torch")
    skorch = pytest.importorskip("skorch")
    from skorch.toy import MLPModule

    options = {
        "criterion": torch.nn.CrossEntropyLoss,
        "train_split": None,
        "iterator_train__shuffle": True,
        "lr": 0.05,
        "batch_size": 16,
        "verbose": 0,
        "module__input_units": 13,
        "module__output_units": 3,
        "module__dropout": 0.2,
        **options,
    }
    net_class = options.pop("net_class", skorch.NeuralNetClassifier)
    return net_class(MLPModule, callbacks=callbacks, **options)


def steady(callbacks=None, **options):
    """Return a net that draws its first weights only."""
    options = {"module__dropout": 0.0, "iterator_train__shuffle": False, **options}
    return net(callbacks, **options)


def momentum():
    return {"optimizer__momentum": 0.9}


def adam():
    return {"optimizer": pytest.importorskip("torch").optim.Adam, "lr": 0.01}


def validated():
    return {"train_split": pytest.importorskip("skorch").dataset.ValidSplit(3), **momentum()}


def schedule(policy, **params):
    def make():
        callbacks = pytest.importorskip("skorch.callbacks")
        return {"callbacks": [callbacks.LRScheduler(policy, **params)], **momentum()}

    return make


def stopping(**params):
    def make():
        callbacks = pytest.importorskip("skorch.callbacks")
        return {"callbacks": [callbacks.EarlyStopping(**params)], **validated()}

    return make


NETS = {
    "sgd": dict,
    "momentum": momentum,
    "adam": adam,
    "validated": validated,
    "step": schedule("StepLR", step_size=2, gamma=0.5),
    "cosine": schedule("CosineAnnealingLR", T_max=5),
    "exponential": schedule("ExponentialLR", gamma=0.7),
    "cycle by batch": schedule("CyclicLR", base_lr=0.01, max_lr=0.1, step_every="batch"),
    "warm restart": schedule("WarmRestartLR", min_lr=0.01, max_lr=0.1, base_period=2),
    "plateau": schedule("ReduceLROnPlateau", patience=1, factor=0.3, threshold=0.5),
    "early stopping": stopping(patience=4, threshold=0.3),
    "early stopping, best": stopping(patience=3, load_best=True, threshold=0.3),
}


@pytest.mark.parametrize("kind", NETS)
def test_an_interruption_does_not_show_in_a_net(kind):
    trained = net(**NETS[kind]())
    assert continues(trained, "max_epochs")
    whole = in_stages(trained, "max_epochs")
    assert_same(whole, in_stages(trained, "max_epochs", cuts=(1,)))
    assert whole.max_epochs == STAGES[-1]


@pytest.mark.parametrize("options", [momentum, adam], ids=["momentum", "adam"])
def test_an_interruption_does_not_show_in_a_net_whose_hyperparameters_change(options):
    values = {
        "lr": (0.1, 0.01, 0.05),
        "module__dropout": (0.1, 0.5, 0.3),
        "optimizer__weight_decay": (0.0, 0.1, 0.01),
        "batch_size": (16, 8, 32),
    }
    check_changes(net(**options()), "max_epochs", values)


@pytest.mark.parametrize("kind", NETS)
def test_a_net_in_one_stage_is_what_a_plain_fit_gives(kind):
    plain = net(**NETS[kind]()).set_params(max_epochs=7)
    with nets.reproducible(plain, 100, 1):
        plain.fit(*CLASSES)
    assert_same(plain, in_stages(net(**NETS[kind]()), "max_epochs", (7,)))


@pytest.mark.parametrize("kind", NETS)
def test_callbacks_go_on_where_they_were(kind):
    options = NETS[kind]()
    stages = (2, 3, 9, 15)
    whole = in_stages(steady(**options), "max_epochs", (15,))
    parts = in_stages(steady(**options), "max_epochs", stages, cuts=(1, 3))
    assert len(parts.history_) == len(whole.history_)
    assert_same(whole, parts)


@pytest.mark.parametrize("best", [False, True])
def test_a_net_that_has_stopped_stays_stopped(best):
    # no score is a hundred times better than the first one: stops after 1 + 3 epochs
    options = stopping(patience=3, threshold=0.99, load_best=best)()
    for stages in [(2, 4, 20, 30), (3, 20, 30), (6, 20)]:
        trained = in_stages(net(**options), "max_epochs", stages, cuts=(1,))
        assert len(trained.history_) == 4
        assert trained.max_epochs == stages[-1]


def test_a_net_that_a_callback_of_the_user_has_stopped_stays_stopped():
    skorch = pytest.importorskip("skorch")

    class Enough(skorch.callbacks.Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history_) == 4:
                raise KeyboardInterrupt

    trained = in_stages(net([Enough()]), "max_epochs", (2, 6, 20), cuts=(2,))
    assert len(trained.history_) == 4


def test_a_net_with_its_best_weights_has_them_after_each_stage():
    options = stopping(patience=3, threshold=0.99, load_best=True)()
    trained = in_stages(steady(**options), "max_epochs", (2, 3, 9), cuts=(2,))
    assert_same(trained, in_stages(steady(**options), "max_epochs", (1,)))


def test_a_net_in_a_pipeline_continues():
    pipeline = in_pipeline(net(**adam()))
    assert continues(pipeline, "last__max_epochs")
    whole = in_stages(pipeline, "last__max_epochs")
    assert_same(whole, in_stages(pipeline, "last__max_epochs", cuts=(2,)))
    with nets.reproducible(pipeline, 100, 1):
        plain = clone(pipeline).set_params(last__max_epochs=7).fit(*CLASSES)
    assert_same(plain, in_stages(pipeline, "last__max_epochs", (7,)))


def test_nets_that_take_from_elsewhere_are_fitted_anew():
    skorch = pytest.importorskip("skorch")
    split = skorch.dataset.ValidSplit
    assert not continues(net(train_split=split(0.2)), "max_epochs")
    assert continues(net(train_split=split(0.2, random_state=0)), "max_epochs")
    assert not continues(net([skorch.callbacks.Checkpoint(load_best=True)]), "max_epochs")
    assert continues(net([skorch.callbacks.EpochScoring("accuracy")]), "max_epochs")
    assert not continues(net(), "batch_size")


def test_nets_with_a_fit_of_their_own_are_fitted_anew():
    skorch = pytest.importorskip("skorch")

    class Net(skorch.NeuralNetClassifier):
        def fit(self, X, y):
            return super().fit(X, y)

    assert not continues(net(net_class=Net), "max_epochs")


# Which resource


def test_resources_are_found_by_their_last_part():
    pipeline = in_pipeline(GradientBoostingClassifier())
    assert resolve_resource(pipeline, "n_estimators") == "last__n_estimators"
    assert resolve_resource(pipeline, "last__max_depth") == "last__max_depth"
    assert resolve_resource(pipeline, "n_samples") == "n_samples"


def test_a_name_that_several_parameters_end_in_is_refused():
    pipeline = make_pipeline(PCA(2), SGDClassifier()).set_params(pca__n_components=2)
    two = Pipeline([("a", SGDClassifier()), ("b", SGDRegressor())])
    assert resolve_resource(pipeline, "n_components") == "pca__n_components"
    with pytest.raises(ValueError, match="any of 'a__max_iter', 'b__max_iter': give one"):
        resolve_resource(two, "max_iter")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("n_estimatros", "'n_estimatros' is not a parameter .* for example 'n_estimators'"),
        ("max_epochs", "'max_epochs' is not a parameter of RandomForestClassifier"),
        ("criterion", "'criterion' cannot be spent in whole numbers: its value is 'gini'"),
        ("bootstrap", "its value is True"),
        ("random_state", "its value is 0"),
        ("min_weight_fraction_leaf", "its value is 0.0.* must be 'n_samples' or a parameter"),
    ],
)
def test_what_is_no_resource_is_refused(name, sentence):
    forest = RandomForestClassifier(random_state=0)
    with pytest.raises(ValueError, match=sentence):
        check_resource(forest, name)
    with pytest.raises(ValueError, match=sentence):
        resolve_resource(forest, name)


def test_amounts_are_resources():
    for name in ("n_samples", "n_estimators", "max_leaf_nodes"):
        check_resource(RandomForestClassifier(), name)


@pytest.mark.parametrize(
    ("estimator", "resource"),
    [
        (RandomForestClassifier(), "n_estimators"),
        (HistGradientBoostingRegressor(), "max_iter"),
        (GradientBoostingRegressor(), "n_estimators"),
        (SGDClassifier(tol=None, random_state=0), "max_iter"),
        (SGDClassifier(random_state=0), "n_samples"),
        (SGDClassifier(tol=None), "n_samples"),
        (MLPRegressor(random_state=0), "max_iter"),
        (LogisticRegression(), "n_samples"),
    ],
    ids=pytest_id,
)
def test_the_resource_by_default(estimator, resource):
    assert default_resource(estimator) == resource
    in_last_step = resource if resource == "n_samples" else f"last__{resource}"
    assert default_resource(in_pipeline(estimator)) == in_last_step


def test_the_resource_of_a_net_is_its_epochs():
    assert default_resource(net()) == "max_epochs"
    assert default_resource(in_pipeline(net())) == "last__max_epochs"
    assert resolve_resource(in_pipeline(net()), "max_epochs") == "last__max_epochs"
