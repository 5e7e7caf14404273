"""What it costs to train many nets: together, one by one, and one by one by skorch itself.

    python benchmarks/population.py [--members 8 16 40 80] [--epochs N] [--repeats N] [--device D]

The same candidates on the same folds are searched by

skorch      scikit-learn's RandomizedSearchCV over a skorch net,
sequential  LogRandomSearchCV(trainer="sequential"), which trains each net by itself,
batched     LogRandomSearchCV(trainer="batched"), which trains all as one program,
auto        LogRandomSearchCV(trainer="auto"), which chooses,

without a refit, in one process with one thread of torch, one after the other in random order. The
table has the milliseconds of CPU (of the wall clock, with another device) for an epoch of one
member, the median of the repeats, in which making the nets and scoring them is included, and how
many times less that is than skorch's. A member is a candidate on a fold.

The second table has what a step of PBTSearchCV costs beside training: a member of a population
trains by adding a number, so that all that is left is proposing, copying states, scoring and
recording. The same through PopulationBasedTraining of Ray Tune follows where it is installed, timed
by the wall clock, since its processes work at once.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.datasets import load_digits
from sklearn.model_selection import KFold, RandomizedSearchCV
from skorch import NeuralNetClassifier
from torch import nn

from sklearn_hpt import LogRandomSearchCV, PBTSearchCV
from sklearn_hpt.steppers import Stepper

N_SPLITS = 4
SPACE = {
    "lr": [0.01, 0.02, 0.05, 0.1, 0.2],
    "optimizer__momentum": [0.5, 0.8, 0.9, 0.95],
}


class MLP(nn.Module):
    def __init__(self, sizes=(64, 64, 10)):
        super().__init__()
        layers = []
        for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True):
            layers += [nn.Linear(n_in, n_out), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, X):
        return self.layers(X)


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 8, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(400, 10),
        )

    def forward(self, X):
        return self.layers(X.reshape(-1, 1, 28, 28))


def digits(n_rows):
    X, y = load_digits(return_X_y=True)
    return (X[:n_rows] / 16).astype(np.float32), y[:n_rows].astype(np.int64)


def large_digits(n_rows):
    """Return the digits, enlarged to 28 x 28 pixels."""
    X, y = digits(n_rows)
    images = nn.functional.interpolate(torch.from_numpy(X.reshape(-1, 1, 8, 8)), (28, 28))
    return images.reshape(len(X), -1).numpy(), y


PROBLEMS = {
    "MLP 64-64-10": (digits(360), MLP, {}),
    "MLP 784-256-128-10": (large_digits(1600), MLP, {"module__sizes": (784, 256, 128, 10)}),
    "CNN 28x28, 8 and 16 channels": (large_digits(800), CNN, {}),
}


def make(module, params, epochs, device):
    return NeuralNetClassifier(
        module,
        criterion=nn.CrossEntropyLoss,
        max_epochs=epochs,
        batch_size=64,
        train_split=None,
        verbose=0,
        iterator_train__shuffle=True,
        device=device,
        **params,
    )


def searches(net, n_iter):
    shared = {"n_iter": n_iter, "cv": KFold(N_SPLITS), "refit": False, "random_state": 0}
    ours = {
        trainer: lambda trainer=trainer: LogRandomSearchCV(net, SPACE, trainer=trainer, **shared)
        for trainer in ("sequential", "batched", "auto")
    }
    return {"skorch": lambda: RandomizedSearchCV(net, SPACE, **shared), **ours}


def seconds(search, X, y, device):
    clock = time.process_time if device == "cpu" else time.perf_counter
    torch.manual_seed(0)
    started = clock()
    search.fit(X, y)
    if device != "cpu":
        torch.cuda.synchronize()
    return clock() - started


def print_trainers(members, epochs, repeats, device, only):
    (X, y), module, params = PROBLEMS["MLP 64-64-10"]
    for make_search in searches(make(module, params, 1, device), 2).values():
        seconds(make_search(), X, y, device)  # what torch imports when it is first used
    print(f"milliseconds for an epoch of one member on {device}, times less than skorch\n")
    names = ("skorch", "sequential", "batched", "auto")
    print("| net | members | " + " | ".join(names) + " |\n|" + " --- |" * 6)
    for name, ((X, y), module, params) in PROBLEMS.items():
        if only not in name:
            continue
        for n_members in members:
            net, n_iter = make(module, params, epochs, device), max(n_members // N_SPLITS, 1)
            made, spent = searches(net, n_iter), {name: [] for name in names}
            for _ in range(repeats):
                for method in random.sample(names, len(names)):
                    spent[method].append(seconds(made[method](), X, y, device))
            each = {m: 1e3 * np.median(s) / (n_iter * N_SPLITS * epochs) for m, s in spent.items()}
            cells = [f"{each[m]:.2f}, {each['skorch'] / each[m]:.1f}" for m in names[1:]]
            print(
                f"| {name} | {n_members} | {each['skorch']:.2f} | {' | '.join(cells)} |", flush=True
            )


class Counter(BaseEstimator):
    """Learns nothing, at once."""

    def __init__(self, rate=0.5, n_steps=100):
        self.rate = rate
        self.n_steps = n_steps

    def fit(self, X, y=None):
        self.total_ = self.rate * self.n_steps
        return self

    def score(self, X, y=None):
        return self.total_


class Counting(Stepper):
    def resource(self, model):
        return "n_steps"

    def mutable_names(self, model):
        return {"rate"}

    def init(self, model, X, y):
        model.total_ = 0.0

    def step(self, model, X, y, begin, end):
        model.total_ += model.rate * (end - begin)


def print_orchestration(repeats):
    print("\nbeside training, milliseconds for a step of one member of 8: median, least, most\n")
    _print_steps("PBTSearchCV, CPU", lambda n: population_cost(n, time.process_time), 80, repeats)
    _print_steps("PBTSearchCV", lambda n: population_cost(n, time.perf_counter), 80, repeats)
    try:
        import ray
        from ray import tune
    except ImportError as error:
        print(f"Ray Tune is left out: {error}")
        return
    ray.init(num_cpus=8, include_dashboard=False, log_to_driver=False)
    _print_steps("Ray Tune, PBT", lambda n: ray_cost(n, tune), 10, repeats)
    ray.shutdown()


def _print_steps(name, cost, n_more, repeats):
    """Print what a step costs, as the difference of a long search and a short one."""
    cost(5)
    each = [1e3 * (cost(5 + n_more) - cost(5)) / (n_more * 8) for _ in range(repeats)]
    print(f"{name}: {np.median(each):.2f}, {min(each):.2f}, {max(each):.2f}", flush=True)


def population_cost(n_generations, clock):
    """Return the seconds that a population takes, one fold for each member."""
    search = PBTSearchCV(
        Counter(),
        {"rate": (0.0, 1.0)},
        stepper=Counting(),
        population_size=8,
        n_generations=n_generations,
        cv=[(np.arange(5), np.arange(5, 10))],
        refit=False,
        random_state=0,
    )
    started = clock()
    search.fit(np.zeros((10, 1)))
    return clock() - started


def ray_cost(n_generations, tune):
    """Return the seconds that Ray Tune takes for the same, the start of its actors included."""

    class Counted(tune.Trainable):
        def setup(self, config):
            self.rate, self.total = config["rate"], 0.0

        def reset_config(self, config):
            self.rate = config["rate"]
            return True

        def step(self):
            self.total += self.rate
            return {"score": self.total}

        def save_checkpoint(self, folder):
            Path(folder, "total").write_text(str(self.total))

        def load_checkpoint(self, folder):
            self.total = float(Path(folder, "total").read_text())

    scheduler = tune.schedulers.PopulationBasedTraining(
        time_attr="training_iteration",
        metric="score",
        mode="max",
        perturbation_interval=1,
        hyperparam_mutations={"rate": tune.uniform(0.0, 1.0)},
        synch=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        tuner = tune.Tuner(
            Counted,
            param_space={"rate": tune.uniform(0.0, 1.0)},
            tune_config=tune.TuneConfig(scheduler=scheduler, num_samples=8, reuse_actors=True),
            run_config=tune.RunConfig(
                stop={"training_iteration": n_generations}, verbose=0, storage_path=folder
            ),
        )
        started = time.perf_counter()
        tuner.fit()
        return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, nargs="+", default=[8, 16, 40, 80])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", default="", help="nets whose names have this in them")
    parser.add_argument("--steps", action="store_true", help="only what is beside training")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if not args.steps:
        print_trainers(args.members, args.epochs, args.repeats, args.device, args.only)
    print_orchestration(args.repeats)


if __name__ == "__main__":
    main()
