# SPDX-License-Identifier: MIT
"""Packages that only some functions need."""
import importlib
from types import ModuleType

# Import name: package of Debian, of pip.
_PACKAGES = {"numpy": ("python3-numpy", "numpy"), "matplotlib": ("python3-matplotlib", "matplotlib")}


def require(name: str, purpose: str) -> ModuleType:
    """Imports the package; where it is missing, the ImportError says for what it is needed and what to install."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        debian, pip = _PACKAGES[name.partition(".")[0]]
        raise ImportError(f"{purpose} needs {name}: install {debian} (Debian) or {pip} (pip)") from error
