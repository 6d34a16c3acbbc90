"""Why latents that come late stay unused in short runs: one thing changed at a time.

Each variant trains a model whose latents come one after another, pro-VLAE or teacher-student, on the
sprites, pooled to 32x32 for speed, and records what each layer or latent holds at the end. Rows are
appended to late_latents.csv beside this script; a variant that is there already is not run again. A
run takes a few minutes on one CPU core.

Run: python examples/studies/late_latents.py [--seeds 0 1]
"""

import argparse
import csv
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

import disentangle_metrics as dm
from reference_models.models.pro_vlae import ProVLAE
from reference_models.models.teacher_student import TeacherStudent
from reference_models.models.vlae import VLAE
from reference_models.training.train import Settings, train

RESULTS = Path(__file__).with_suffix(".csv")
STAGE = 800
LADDER = {
    "latents_per_layer": 3,
    "beta": 1.0,  # on a quarter of the pixels; the demo's 4 at 64x64
    "gamma": 0.5,
    "wake_steps": [0, STAGE, 2 * STAGE],
    "fade_in_steps": 240,
}


def stages_of(steps):
    """The ladder whose stages have so many steps, with as large a share of them to fade in."""
    share = LADDER["fade_in_steps"] / STAGE
    return {**LADDER, "wake_steps": [0, steps, 2 * steps], "fade_in_steps": round(share * steps)}


PAIRS = {**LADDER, "latents_per_layer": 2, "beta": 0.25}
STUDENT_STAGE = 600
STUDENTS = {
    "latents": 6,
    "beta": 0.25,  # 1 at 64x64
    "first_latents": 2,
    "grow_steps": [STUDENT_STAGE * stage for stage in (1, 2, 3, 4)],
}
UNSUPERVISED = {"lambda_z": 0.0, "lambda_jac": 0.0, "lambda_xcov": 0.0}
THRICE = [3 * step for step in STUDENTS["grow_steps"]]


class Renewed:
    """Each stage starts with an Adam that knows nothing, as each student does in the original's code."""

    renewed = False

    def enter(self, step):
        super().enter(step)
        self.renewed = step in self.milestones()

    def forget(self, optimizer, args, kwargs):
        if self.renewed:
            optimizer.state.clear()


class RenewedProVLAE(Renewed, ProVLAE):
    pass


class RenewedStudents(Renewed, TeacherStudent):
    pass


class PlainlyInitialised:
    """Weights as PyTorch starts them, instead of Glorot-uniform ones and biases of zero."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        for module in self.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()


class PlainProVLAE(PlainlyInitialised, ProVLAE):
    pass


class PlainStudents(PlainlyInitialised, TeacherStudent):
    pass


class DeterministicStudents(TeacherStudent):
    """Codes without noise, as the original's; with beta 0 they pay no rate either."""

    def noise(self, batch_size, rng):
        draws = super().noise(batch_size, rng)
        return {**draws, "noise": 0 * draws["noise"]}


@contextmanager
def forgetting(model):
    """Lets a renewed model clear the optimiser's state."""
    hook = register_optimizer_step_pre_hook(model.forget) if isinstance(model, Renewed) else None
    yield
    if hook:
        hook.remove()


@dataclass(frozen=True)
class Variant:
    """What is trained, and for how long."""

    model: type
    arguments: dict
    steps: int
    learning_rate: float = 1e-3
    batch_size: int = 32


VARIANTS = {  # by model and what is changed
    ("pro-vlae", "base"): Variant(ProVLAE, LADDER, 3 * STAGE),
    ("pro-vlae", "last stage 3 times as long"): Variant(ProVLAE, LADDER, 5 * STAGE),
    ("pro-vlae", "first two stages a third as long"): Variant(
        ProVLAE,
        {**LADDER, "wake_steps": [0, STAGE // 3, 2 * STAGE // 3], "fade_in_steps": STAGE // 10},
        2 * STAGE // 3 + STAGE,
    ),
    ("pro-vlae", "gamma 0"): Variant(ProVLAE, {**LADDER, "gamma": 0.0}, 3 * STAGE),
    ("pro-vlae", "no fade-in"): Variant(ProVLAE, {**LADDER, "fade_in_steps": 0}, 3 * STAGE),
    ("pro-vlae", "fade-in over the whole stage"): Variant(
        ProVLAE, {**LADDER, "fade_in_steps": STAGE}, 3 * STAGE
    ),
    ("pro-vlae", "beta 0.25"): Variant(ProVLAE, {**LADDER, "beta": 0.25}, 3 * STAGE),
    ("pro-vlae", "beta 0.25, last stage 3 times as long"): Variant(
        ProVLAE, {**LADDER, "beta": 0.25}, 5 * STAGE
    ),
    ("pro-vlae", "2 latents per layer"): Variant(ProVLAE, {**LADDER, "latents_per_layer": 2}, 3 * STAGE),
    ("pro-vlae", "learned affine after each activation"): Variant(
        ProVLAE, {**LADDER, "affine": True}, 3 * STAGE
    ),
    ("pro-vlae", "a new optimiser for each stage"): Variant(RenewedProVLAE, LADDER, 3 * STAGE),
    ("pro-vlae", "PyTorch's initialisation"): Variant(PlainProVLAE, LADDER, 3 * STAGE),
    ("pro-vlae", "learning rate 5e-4"): Variant(ProVLAE, LADDER, 3 * STAGE, 5e-4),
    ("pro-vlae", "batches of 128"): Variant(ProVLAE, LADDER, 3 * STAGE, batch_size=128),
    ("pro-vlae", "batches of 128, a quarter of the steps"): Variant(
        ProVLAE, stages_of(STAGE // 4), 3 * STAGE // 4, batch_size=128
    ),
    ("pro-vlae", "stages 4 times as long"): Variant(ProVLAE, stages_of(4 * STAGE), 12 * STAGE),
    ("vlae", "no progression (VLAE)"): Variant(VLAE, {"latents_per_layer": 3, "beta": 1.0}, 3 * STAGE),
    ("pro-vlae", "2 latents per layer, beta 0.25"): Variant(ProVLAE, PAIRS, 3 * STAGE),
    ("teacher-student", "base"): Variant(TeacherStudent, STUDENTS, 5 * STUDENT_STAGE),
    ("teacher-student", "first teacher with 4 latents"): Variant(
        TeacherStudent,
        {**STUDENTS, "first_latents": 4, "grow_steps": STUDENTS["grow_steps"][2:]},
        5 * STUDENT_STAGE,
    ),
    ("teacher-student", "all 6 latents at once (beta-VAE)"): Variant(
        TeacherStudent,
        {**STUDENTS, "first_latents": 6, "grow_steps": []},
        5 * STUDENT_STAGE,
    ),
    ("teacher-student", "no supervision"): Variant(
        TeacherStudent,
        {**STUDENTS, **UNSUPERVISED},
        5 * STUDENT_STAGE,
    ),
    ("teacher-student", "a new optimiser for each student"): Variant(
        RenewedStudents, STUDENTS, 5 * STUDENT_STAGE
    ),
    ("teacher-student", "PyTorch's initialisation"): Variant(PlainStudents, STUDENTS, 5 * STUDENT_STAGE),
    ("teacher-student", "learning rate 5e-4"): Variant(TeacherStudent, STUDENTS, 5 * STUDENT_STAGE, 5e-4),
    ("teacher-student", "no noise, no rate"): Variant(
        DeterministicStudents,
        {**STUDENTS, "beta": 0.0},
        5 * STUDENT_STAGE,
    ),
    ("teacher-student", "no noise, no rate, no supervision"): Variant(
        DeterministicStudents,
        {**STUDENTS, "beta": 0.0, **UNSUPERVISED},
        5 * STUDENT_STAGE,
    ),
    ("teacher-student", "no noise, no rate, all 6 latents at once"): Variant(
        DeterministicStudents,
        {**STUDENTS, "beta": 0.0, "first_latents": 6, "grow_steps": []},
        5 * STUDENT_STAGE,
    ),
    ("teacher-student", "beta 0.0625"): Variant(
        TeacherStudent, {**STUDENTS, "beta": 0.0625}, 5 * STUDENT_STAGE
    ),
    ("teacher-student", "stages 3 times as long"): Variant(
        TeacherStudent,
        {**STUDENTS, "grow_steps": THRICE},
        15 * STUDENT_STAGE,
    ),
}


def run(dataset, variant, seed):
    chosen = VARIANTS[variant]
    torch.manual_seed(seed)
    model = chosen.model(image_shape=[1, 32, 32], **chosen.arguments)
    settings = Settings(
        batch_size=chosen.batch_size,
        learning_rate=chosen.learning_rate,
        warmup_steps=300,
        seed=seed,
        steps=chosen.steps,
        save_every=chosen.steps,
        device="cpu",
    )
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, forgetting(model):
        train(
            model,
            dataset,
            settings,
            Path(folder),
            description={"arguments": chosen.arguments},
            progress=False,
        )
    seconds = time.perf_counter() - began
    name, changed = variant
    return {
        "model": name,
        "variant": changed,
        "seed": seed,
        "steps": chosen.steps,
        **measured(model, dataset),
        "seconds": round(seconds),
    }


def measured(model, dataset):
    """Reconstruction error and KL per image on 5,000 images, and scores of the means, in evaluation mode.

    The KL is that of each layer, from the lowest; of each latent where there are no layers.
    """
    model.eval()
    indices = np.random.default_rng(0).choice(len(dataset), 5_000, replace=False)
    images = torch.from_numpy(dataset.images(indices)).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        outputs = [model(part) for part in images.split(500)]
        mean, logvar = (torch.cat(parts) for parts in zip(*outputs, strict=True))
        logits = torch.cat([model.decode(part) for part in mean.split(500)])
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, images, reduction="sum")
    kl = (0.5 * (mean.square() + logvar.exp() - 1 - logvar)).mean(dim=0)
    if isinstance(model, DeterministicStudents):
        kl = torch.empty(0)  # there is no posterior
    elif not isinstance(model, TeacherStudent):
        kl = kl.reshape(3, -1).sum(dim=1)
    factors = dataset.factors(indices)[:, 1:]  # without shape, as the paper's authors do
    posterior = dm.GaussianPosterior(mean, logvar)
    report = dm.score(posterior, factors, metrics=["mig", "mig_sup"], anchors=False)
    return {
        "reconstruction": round(float(loss) / len(images), 2),
        "kl": " ".join(f"{value:.3f}" for value in kl.tolist()),
        **{key: round(score.value, 3) for key, score in report.items()},
    }


def rows_of(path):
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def append(path, row):
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(row), lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(row)
    print(row, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    seeds = parser.parse_args().seeds
    dataset = dm.load_dataset("sprites", pool=2)
    done = {(row["model"], row["variant"], int(row["seed"])) for row in rows_of(RESULTS)}
    for seed in seeds:
        for variant in VARIANTS:
            if (*variant, seed) not in done:
                append(RESULTS, run(dataset, variant, seed))


if __name__ == "__main__":
    main()
