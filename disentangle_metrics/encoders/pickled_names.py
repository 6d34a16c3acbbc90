"""What a pickle would import, read from its instructions without running any of them."""

from __future__ import annotations

import pickletools
import sys
from pathlib import Path

from disentangle_metrics.encoders.bounded import bounded

MOST_INSTRUCTIONS = 2_000_000
TEXTS = ("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE")
# Modules whose classes no network is made of: a file that names only these holds no network.
NO_NETWORKS = frozenset({"numpy", "builtins", "__builtin__", "copy_reg", "copyreg", *sys.stdlib_module_names})


def pickled_names(path: Path) -> list[str]:
    """The names that the pickle at `path` imports, as far as its instructions can be read."""
    names: dict[str, None] = {}
    texts: list[str] = []
    memo: dict[int, str] = {}
    try:
        with path.open("rb") as file:
            whole = bounded(file, path.stat().st_size)
            for count, (opcode, argument, _) in enumerate(pickletools.genops(whole)):
                place = argument if isinstance(argument, int) else -1
                if opcode.name in ("GLOBAL", "INST"):
                    names[str(argument).replace(" ", ".", 1)] = None
                elif opcode.name == "STACK_GLOBAL" and len(texts) > 1:
                    names[f"{texts[-2]}.{texts[-1]}"] = None
                elif opcode.name in TEXTS:
                    texts.append(str(argument))
                elif opcode.name in ("BINGET", "LONG_BINGET", "GET") and place in memo:
                    texts.append(memo[place])
                elif opcode.name == "MEMOIZE":
                    memo[len(memo)] = texts[-1] if texts else ""
                elif opcode.name in ("BINPUT", "LONG_BINPUT", "PUT"):
                    memo[place] = texts[-1] if texts else ""
                if count > MOST_INSTRUCTIONS:
                    break
    except (ValueError, UnicodeError):  # damaged from here on
        pass
    return list(names)


def is_of_a_network(name: str) -> bool:
    """Whether a name in a pickle can be that of a network's class, which only running the file gives back."""
    root, dot, _ = name.partition(".")
    return name.startswith("torch.nn.") or (bool(dot) and root != "torch" and root not in NO_NETWORKS)
