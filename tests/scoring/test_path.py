"""How often one score changes file on its way: the code that decides is in one place, and is asked once."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
import numpy as np
import disentangle_metrics as dm

package = dm.__file__.removesuffix("__init__.py")
factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (20, 1))
latents = factors * 1.0
dm.mig(latents, factors)
changes = []


def profile(frame, event, argument):
    if event == "call" and frame.f_back is not None:
        caller, callee = frame.f_back.f_code.co_filename, frame.f_code.co_filename
        if caller != callee and caller.startswith(package) and callee.startswith(package):
            changes.append((caller, callee))


function = dm.mig
sys.setprofile(profile)
function(latents, factors)
sys.setprofile(None)
print(len(changes))
"""


def test_one_mig_changes_file_at_most_thirty_times():
    # Calls from a file of the package to another; there and back it is twice as many.
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert 10 < int(done.stdout) <= 30
