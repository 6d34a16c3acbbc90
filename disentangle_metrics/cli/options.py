"""The options of dm-eval, in the panels of its help."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import typer

from disentangle_metrics.cli import completion
from disentangle_metrics.kit.limits import GIGABYTES, SECONDS

OUTPUTS_FORM = "ROLE=NAME,..., such as mean=z_mean,logvar=z_log_var"


class Anchors(StrEnum):
    """Which scores get a chance level and a ceiling."""

    AUTO, ALL, NONE = "auto", "all", "none"


class Missing(StrEnum):
    """What happens to rows with missing values."""

    RAISE, DROP = "raise", "drop"


def option(panel: str, text: str, *names: str, metavar: str | None = None, values: Any = None) -> Any:
    """An option in a panel of the help; `values` gives those that begin with a text, for the shell."""
    return typer.Option(
        *names, help=text, rich_help_panel=panel, metavar=metavar, show_default=False, autocompletion=values
    )


MODEL, ARRAYS, SCORING, OUTPUT = "To score a model", "To score arrays", "Scoring", "Output"
LIMITS, ABOUT = "Limits", "About"

Model = typer.Argument(metavar="MODEL", help="A model file, or the name of a bundled checkpoint.")
Dataset = option(
    MODEL, "Data set to encode, such as sprites, or a path.", metavar="NAME|PATH", values=completion.datasets
)
Root = option(MODEL, "Where the data set's files are.", metavar="DIR")
DataOptions = option(
    MODEL, "Options of the data set, such as pool=2: docs/own_data.md.", metavar="NAME=V,..."
)
Samples = option(MODEL, "Images to encode, or all (default 10000).", metavar="N")
BatchSize = option(MODEL, "Images encoded at a time (default 256).", metavar="N")
Device = option(MODEL, "auto (default), cpu, cuda, cuda:N or mps.", metavar="NAME")
Arch = option(
    MODEL,
    "Registered architecture that a file of bare weights belongs to.",
    metavar="NAME",
    values=completion.architectures,
)
ModelCode = option(
    MODEL, "Your code that builds the network: package.module:factory or file.py:factory.", metavar="REF"
)
ModelArgs = option(
    MODEL, "Arguments that --model-code is called with, such as latent_dim=10.", metavar="NAME=VALUE,..."
)
StateKey = option(
    MODEL, "Where in the file the weights stand, if several places fit, such as ema.", metavar="KEY"
)
EncodeWith = option(
    MODEL, "Method or part of the network that encodes, such as encode or encoder.", metavar="NAME"
)
OutputNames = option(
    MODEL,
    "Which output is which: mean=z_mean,logvar=z_log_var; also logstd, std, var; places from 0 do for names.",
    "--outputs",
    metavar="ROLE=NAME,...",
)
Scale = option(MODEL, "Images for the network: 0..1 (default), -1..1, imagenet, mean=M,std=S.", metavar="R")
Trust = option(
    MODEL, "Allow a file that runs code when loaded (TorchScript, .pt2, pickled networks).", "--trust-file"
)
Latents = option(
    ARRAYS,
    "File of latents (.npy, .npz, .csv, .parquet, .h5ad, ...: docs/inputs.md); :NAME chooses "
    "arrays, columns. Several files, which NAME= may name, are scored alike and ranked.",
    metavar="[NAME=]FILE[:NAME,...]...",
)
Factors = option(
    ARRAYS,
    "With --latents: the file of factors. With MODEL: names of the factors to score against.",
    metavar="FILE[:NAME,...] or NAME,...",
)
IndexCol = option(
    ARRAYS,
    "Column of row labels (name, or place from 0); rows of both files are matched by it.",
    metavar="NAME",
)
DropColumns = option(ARRAYS, "Columns to leave out of both files.", metavar="NAME,...")
FactorTypes = option(
    SCORING,
    "How to read some factors: categorical, ordinal, continuous, circular or circular:PERIOD.",
    metavar="NAME=TYPE,...",
)
LatentTypes = option(
    SCORING,
    "How to read some latents: categorical (codes) or circular:PERIOD.",
    metavar="NAME=TYPE,...",
)
LatentGroups = option(
    SCORING,
    "Units of several latents: their columns by place or name; or `layers`, those of the model. `none` "
    "leaves out what a model's layers hold.",
    "--groups",
    metavar="NAME=0,1;...",
)
Hierarchy = option(
    SCORING,
    "Factors that exist only under one value of another, and are missing elsewhere.",
    "--hierarchy",
    metavar="FACTOR=SWITCH:VALUE,...",
)
Metrics = option(
    SCORING,
    "Metrics, score keys, or signatures to score again, as 'mig|bins:10' (default: those of the protocol).",
    metavar="NAME,...",
    values=completion.metrics,
)
Protocol = option(
    SCORING,
    "A published set of settings (default: default); `list` prints all, with paper and scores.",
    metavar="NAME",
    values=completion.protocols,
)
MissingChoice = option(
    SCORING, "Rows with missing values: raise (default) refuses them, drop leaves them out, for the factor "
    "that lacks a value alone where a metric allows.", "--missing"
)  # fmt: skip
Seed = option(SCORING, "Seed of everything that draws (default 0).", metavar="N")
Jobs = option(SCORING, "Processes (default 1); -1 for every core.", metavar="N")
AnchorChoice = option(SCORING, "Chance and ceiling of each score: auto (default) leaves out slow ones.")
Confidence = option(SCORING, "Confidence intervals of this coverage, such as 0.95.", metavar="P")
Permutations = option(
    SCORING,
    "A p of each score against chance, from so many permutations of the rows, such as 199; of slow scores "
    "with --anchors all alone.",
    metavar="N",
)
Out = option(
    ARRAYS, "Keep the report of each file of latents in this folder, and go on from there.", metavar="DIR"
)
Json = option(OUTPUT, "Write the report as JSON; - for stdout.", metavar="FILE")
Csv = option(OUTPUT, "Write the scores as CSV; - for stdout.", metavar="FILE")
Html = option(
    OUTPUT, "Write a page that needs no network: scores, remarks, tables, pictures.", metavar="FILE"
)
Plot = option(OUTPUT, "Draw the scores; the ending of the file says how (.pdf, .png, .svg).", metavar="FILE")
FormatChoice = option(OUTPUT, "What to print: table (default), markdown, latex, csv or json.", "--format")
Brief = option(OUTPUT, "Print the headline scores alone.", "--brief")
Width = option(OUTPUT, "Columns of the table (default: those of the terminal, else 80).", metavar="N")
Cite = option(OUTPUT, "Print a methods sentence and BibTeX too; without input, of --metrics alone.", "--cite")
Quiet = option(OUTPUT, "No progress and no remarks on stderr.", "--quiet")
TimeLimit = option(
    LIMITS,
    f"Processor seconds for reading a file (default {SECONDS:g}, more if it is large).",
    metavar="SECONDS",
)
MemoryLimit = option(
    LIMITS, f"Memory for reading a file (default {GIGABYTES:g}, more if it is large).", metavar="GB"
)
Debug = option(OUTPUT, "Show the traceback of an error.", "--debug")
List = option(ABOUT, "List metrics, protocols, data sets, architectures and bundled checkpoints.", "--list")
Explain = option(ABOUT, "Explain a metric.", metavar="METRIC", values=completion.metrics)
Version = option(ABOUT, "Print the version.", "--version")
