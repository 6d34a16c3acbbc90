"""Made by tools/public_stub.py from the running package; do not edit."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from disentangle_metrics.settings import Active, Ascending, Assignment, AtLeast, Bins, Correction, Decision, FactorBins, InformationEstimator, Kernel, Limits, Mass, MostRows, Neighbours, Normaliser, Penalty, Probe, Samples, Scaling, Share, Split, Strategy, ValueWeights, Votes
from disentangle_metrics.version import __version__ as __version__
from disentangle_metrics.datasets import FactorDataset as FactorDataset
from disentangle_metrics.datasets import load_dataset as load_dataset
from disentangle_metrics.encoders import Encoder as Encoder
from disentangle_metrics.encoders import load_encoder as load_encoder
from disentangle_metrics.errors import DatasetError as DatasetError
from disentangle_metrics.errors import DisentangleMetricsError as DisentangleMetricsError
from disentangle_metrics.errors import InputError as InputError
from disentangle_metrics.errors import ModelFileError as ModelFileError
from disentangle_metrics.errors import NotApplicable as NotApplicable
from disentangle_metrics.errors import PluginError as PluginError
from disentangle_metrics.errors import PluginWarning as PluginWarning
from disentangle_metrics.errors import ScoreWarning as ScoreWarning
from disentangle_metrics.errors import UntrustedModelError as UntrustedModelError
from disentangle_metrics.evaluation import evaluate as evaluate
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior as GaussianPosterior
from disentangle_metrics.metrics import metric as metric
from disentangle_metrics.metrics.cards import describe as describe
from disentangle_metrics.metrics.cards import list_metrics as list_metrics
from disentangle_metrics.metrics.definition import Labelled as Labelled
from disentangle_metrics.metrics.definition import MetricDefinition as MetricDefinition
from disentangle_metrics.metrics.definition import MetricValue as MetricValue
from disentangle_metrics.metrics.definition import ScoreDefinition as ScoreDefinition
from disentangle_metrics.model_agreement import Agreement as Agreement
from disentangle_metrics.model_agreement import udr as udr
from disentangle_metrics.relations.relations import Relations as Relations
from disentangle_metrics.scoring.report import Report as Report
from disentangle_metrics.scoring.report import Score as Score
from disentangle_metrics.scoring.requests import Metric as Metric
from disentangle_metrics.scoring.score import score as score
from disentangle_metrics.streams.accumulator import Accumulator as Accumulator

def mig(
    latents: Any,
    factors: Any,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    normaliser: Normaliser = "factor",
    factor_bins: FactorBins = None,
    correction: Correction = "none",
    samples: Samples = 10000,
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def mig_sup(
    latents: Any,
    factors: Any,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    active: Active = "auto",
    normaliser: Normaliser = "factor",
    factor_bins: FactorBins = None,
    correction: Correction = "none",
    samples: Samples = 10000,
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def jemmig(
    latents: Any,
    factors: Any,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    factor_bins: FactorBins = None,
    correction: Correction = "none",
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def dcimig(
    latents: Any,
    factors: Any,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    factor_bins: FactorBins = None,
    correction: Correction = "none",
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def modularity(
    latents: Any,
    factors: Any,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    active: Active = "auto",
    factor_bins: FactorBins = None,
    correction: Correction = "none",
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def explicitness(
    latents: Any,
    factors: Any,
    *,
    split: Split = 0.3333333333333333,
    rescale: bool = True,
    class_weight: Literal['balanced'] | Mapping[Any, float] | None = None,
    decision: Decision = "multinomial",
    scaling: Scaling = "standard",
    C: Annotated[float, Limits(above=0)] = 1.0,
    max_rows: MostRows = 15000,
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def factor_vae(
    latents: Any,
    factors: Any,
    *,
    votes: Votes = (10000, 5000),
    rows: Annotated[int, AtLeast(2)] = 64,
    active: Active = "auto",
    rescale: bool = False,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    value_weights: ValueWeights = "frequency",
    replacement: bool = True,
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def beta_vae(
    latents: Any,
    factors: Any,
    *,
    votes: Votes = (10000, 5000),
    rows: Annotated[int, AtLeast(1)] = 64,
    scaling: Scaling = "standard",
    rescale: bool = False,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    value_weights: ValueWeights = "frequency",
    replacement: bool = True,
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def z_max_variance(
    latents: Any,
    factors: Any,
    *,
    votes: Votes = (10000, 5000),
    rows: Annotated[int, AtLeast(2)] = 64,
    active: Active = "auto",
    rescale: bool = False,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    value_weights: ValueWeights = "frequency",
    replacement: bool = True,
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def irs(
    latents: Any,
    factors: Any,
    *,
    quantile: Annotated[float, Limits(above=0, most=1)] = 0.99,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    factor_bins: FactorBins = None,
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def dci(
    latents: Any,
    factors: Any,
    *,
    probe: Probe = "boosted_trees",
    alpha: Penalty | None = None,
    split: Split = 0.3333333333333333,
    max_rows: MostRows = 15000,
    importances: Literal['shares', 'raw'] = "shares",
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Report: ...

def sap(
    latents: Any,
    factors: Any,
    *,
    kind: Literal['auto', 'regression', 'classification'] = "auto",
    split: Split = 0.3333333333333333,
    max_rows: MostRows = 15000,
    fit_rows: Literal['all', 'train'] = "all",
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def mcc(
    latents: Any,
    factors: Any,
    *,
    correlation: Literal['pearson', 'spearman'] = "pearson",
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def total_correlation(
    latents: Any,
    *,
    protocol: str = "default",
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def wasserstein_correlation(
    latents: Any,
    *,
    normalised: bool = False,
    protocol: str = "default",
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def mean_pairwise_mi(
    latents: Any,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    protocol: str = "default",
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def infomec(
    latents: Any,
    factors: Any,
    *,
    k: Neighbours = 10,
    active: Active = "auto",
    split: Split = None,
    max_rows: MostRows = 15000,
    max_iter: Annotated[int, AtLeast(1)] = 1000,
    bounded: bool = True,
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Report: ...

def rmig(
    latents: Any,
    factors: Any,
    *,
    bins: Bins = 100,
    strategy: Strategy = "uniform",
    limits: Annotated[tuple[float, float], Ascending()] = (-4.0, 4.0),
    mass: Mass = "integral",
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def informativeness(
    latents: Any,
    *,
    protocol: str = "default",
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def active_units(
    latents: Any,
    *,
    active: Active = "auto",
    protocol: str = "default",
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def sufficiency(
    latents: Any,
    factors: Any,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    factor_bins: FactorBins = None,
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def minimality(
    latents: Any,
    factors: Any,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    active: Active = "auto",
    factor_bins: FactorBins = None,
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def med(
    latents: Any,
    factors: Any,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    top: Annotated[int, AtLeast(1)] | None = None,
    factor_bins: FactorBins = None,
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def dmig(
    latents: Any,
    factors: Any,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    assignment: Assignment = None,
    factor_bins: FactorBins = None,
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def xmig(
    latents: Any,
    factors: Any,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    assignment: Assignment = None,
    factor_bins: FactorBins = None,
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def dlig(
    latents: Any,
    factors: Any,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    assignment: Assignment = None,
    factor_bins: FactorBins = None,
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def wsepin(
    latents: Any,
    *,
    samples: Samples = 2000,
    max_rows: MostRows = 10000,
    protocol: str = "default",
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Report: ...

def dhsic(
    latents: Any,
    *,
    kernel: Kernel = "gaussian",
    max_rows: MostRows = 5000,
    protocol: str = "default",
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def omes(
    latents: Any,
    factors: Any,
    *,
    alpha: Share = 0.5,
    pooling: Literal['max', 'mean'] = "max",
    active: Active = "auto",
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Score: ...

def unibound(
    latents: Any,
    factors: Any,
    *,
    samples: Samples = 10000,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: bool | Literal["all"] = False,
) -> Report: ...
