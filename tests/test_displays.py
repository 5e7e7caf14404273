"""Displays: what they show is right, and nothing of it is cut off or thrown over by many rows."""

import matplotlib
import numpy as np

matplotlib.use("Agg")

from sklearn_hpt.displays._functional_anova import Measure, variance_shares  # noqa: E402

# importance


def test_shares_of_an_additive_function_are_those_of_its_variances():
    """y = 3 a + b on the unit square: Var = 9/12 and 1/12, so 0.9 and 0.1; c is irrelevant."""
    x = np.random.default_rng(0).random((1500, 3))
    shares = variance_shares(x, 3 * x[:, 0] + x[:, 1], [Measure(0)] * 3)
    np.testing.assert_allclose(shares.main.mean(axis=0), [0.9, 0.1, 0.0], atol=0.02)
    assert all(of_pair.mean() < 0.02 for of_pair in shares.pairs.values())


def test_share_of_a_product_is_that_of_the_pair():
    """(a - 1/2)(b - 1/2) has no main effects at all."""
    x = np.random.default_rng(0).random((1500, 2))
    shares = variance_shares(x, (x[:, 0] - 0.5) * (x[:, 1] - 0.5), [Measure(0)] * 2)
    assert shares.main.mean(axis=0).max() < 0.05
    assert shares.pairs[0, 1].mean() > 0.9


def test_shares_do_not_depend_on_where_most_points_are():
    """The variance is that over the space: y = a + b, with most of the rows at small a."""
    x = np.random.default_rng(0).random((3000, 2))
    x[:, 0] **= 3
    shares = variance_shares(x, x.sum(axis=1), [Measure(0)] * 2)
    np.testing.assert_allclose(shares.main.mean(axis=0), [0.5, 0.5], atol=0.03)


def test_choices_weigh_the_same_whatever_their_numbers():
    """One choice of four is better by 1: variance 3/16; with b uniform, 1/12 beside it."""
    rng = np.random.default_rng(0)
    kind, b = rng.choice(4, size=2000, p=[0.7, 0.1, 0.1, 0.1]), rng.random(2000)
    shares = variance_shares(np.column_stack([kind, b]), (kind == 2) + b, [Measure(4), Measure(0)])
    expected = np.array([3 / 16, 1 / 12]) / (3 / 16 + 1 / 12)
    np.testing.assert_allclose(shares.main.mean(axis=0), expected, atol=0.02)


def test_a_parameter_that_half_of_the_rows_lack_has_the_importance_of_being_there():
    rng = np.random.default_rng(0)
    there = rng.random(2000) < 0.5
    x = np.column_stack([np.where(there, rng.random(2000), np.nan), rng.random(2000)])
    shares = variance_shares(x, there.astype(float), [Measure(0, 1 - there.mean()), Measure(0)])
    np.testing.assert_allclose(shares.main.mean(axis=0), [1.0, 0.0], atol=0.01)


def test_shares_of_one_tree_are_exact():
    """The integral over the boxes is the mean over a grid that has points in each of them."""
    rng = np.random.default_rng(1)
    x, measures = rng.random((40, 2)), [Measure(0)] * 2
    y = x[:, 0] * x[:, 1] + 0.1 * rng.random(40)
    shares = variance_shares(x, y, measures, n_trees=1)

    from sklearn.ensemble import RandomForestRegressor

    binned = (np.floor(x * 64) + 0.5) / 64
    tree = RandomForestRegressor(1, random_state=0).fit(binned, y)
    places = (np.arange(256) + 0.5) / 256
    grid = np.stack(np.meshgrid(places, places, indexing="ij"), axis=-1)
    values = tree.predict(grid.reshape(-1, 2)).reshape(256, 256)
    of_a, of_b = values.mean(axis=1).var(), values.mean(axis=0).var()
    np.testing.assert_allclose(shares.main[0], np.array([of_a, of_b]) / values.var(), rtol=1e-9)
    of_pair = (values.var() - of_a - of_b) / values.var()
    np.testing.assert_allclose(shares.pairs[0, 1][0], of_pair, rtol=1e-9)


def test_constant_scores_have_no_shares():
    shares = variance_shares(np.random.default_rng(0).random((9, 2)), np.ones(9), [Measure(0)] * 2)
    assert (shares.main == 0).all() and not shares.pairs
