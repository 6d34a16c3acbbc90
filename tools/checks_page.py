"""Write docs/checks.md, what each check means, from the codes and the rule of reading.

Run ``python -m tools.checks_page`` after adding a code or changing the rule.
"""

from __future__ import annotations

from pathlib import Path

from disentangle_metrics.checks import CODES, SEVERITIES
from disentangle_metrics.inputs import reading
from tools.made_file import deliver

PAGE = Path(__file__).parents[1] / "docs" / "checks.md"

HEAD = """\
# Checks: what to know before believing a score

`report.checks()` lists what was found, the gravest first. The terminal, the notebook, the HTML page and the JSON
file show the same list. Each check has a code that does not change, a severity, the numbers behind it and a
remedy.

```python
for check in report.checks():
    print(check.severity, check.code, check.message, check.remedy, check.numbers)
```

There are three severities. **Serious**: the scores probably mean nothing. **Warning**: some scores are affected.
**Note**: nothing is wrong, but a reader should know.

Made by `tools/checks_page.py` from `disentangle_metrics/checks.py`.

"""

READING = f"""
## How a factor is read

The report says how each factor was read: "pitch: 88 whole numbers, read as continuous". The signature holds a
letter for each: c categories, o ordinal, r continuous, p circular. Say what you know with
`factor_types={{"pitch": "continuous"}}` or `--factor-types pitch=continuous`.

Where nobody says it, one rule reads every column of numbers:

| values of the column | read as | check |
|---|---|---|
| 2 | categories | |
| up to {reading.FEW} whole numbers | categories | |
| up to {reading.FEW} numbers with decimals, each in {reading.REPEATS} rows or more on average | categories | `decimal_grid` |
| {reading.FEW + 1} to {reading.MANY} whole numbers | categories | `kind_uncertain` |
| more whole numbers, most of them a step apart or like counts | continuous | |
| more whole numbers with gaps, like codes | categories | `labels_with_gaps` |
| numbers of which most stand in one row | continuous | `row_numbers` or `identifier` |
| all other numbers with decimals | continuous | |

Strings, booleans and categoricals are categories. Ordered categoricals are ordinal. The published data sets have
factors of up to {reading.FEW} values, which is where the first limit comes from.

**Ordinal.** Up to {reading.FEW} ordered values are counted and classified like categories, as published scores of the
data sets are. SAP and MCC use their order. More values are measured by their ranks. Ordered categories of numbers
count as these numbers, or by their places where the numbers do not ascend. Texts have no order, and are refused as
"ordinal": pass an ordered categorical.

**Circular.** `"circular:360"` says that 359 lies next to 0. Without a number the period is found where the values
show it. Values from end to end of 2 pi or 360 have that period, and both ends are one angle. A grid that leaves
its end out has the period that closes it. Other values within 2 pi or 360 have that period if they fill most of it.
`dm.Accumulator` wants the number. Probes predict cosine and sine. MCC and SAP use a correlation that
goes round. Bins begin at 0 and end at the period. Nearest neighbours go round.

**Latents.** `latent_types="categorical"` is for codes such as those of vector quantisation. Metrics of information
then count each value instead of cutting it into bins. `"circular:PERIOD"` makes correlations and nearest
neighbours go round. All other metrics read numbers. So do InfoE and the posterior estimators: the check
`latents_as_numbers` names them.

**Rounding.** Numbers with decimals that differ by rounding alone are one value, such as 0.3 and 0.1 + 0.2. The
report then says "3 numbers up to rounding". A factor of which all values do so is constant. In float16 all values
stay apart, since steps of a grid are as small as its rounding.

Published protocols take every whole number for a category, as the code that they reproduce does.
"""


def render() -> str:
    """The whole page."""
    parts = [HEAD]
    for severity in SEVERITIES:
        codes = [
            f"| `{code}` | {about.meaning} |" for code, about in CODES.items() if about.severity == severity
        ]
        parts.append(
            f"## {severity.capitalize()}\n\n| code | what it means |\n|---|---|\n" + "\n".join(codes) + "\n\n"
        )
    return "".join(parts).rstrip() + "\n" + READING


if __name__ == "__main__":
    deliver(PAGE, render())
