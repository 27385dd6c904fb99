"""How the documentation is built: Sphinx, MyST for the pages, autodoc for the reference, furo for the looks."""

from __future__ import annotations

import sys
from importlib.metadata import version as distribution_version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "cosem"
author = "The cosem authors"
copyright = "The cosem authors"
version = release = distribution_version("cosem")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "control_functions",
]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist", "attrs_inline"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"cosem {version}"
html_static_path: list[str] = []
templates_path = ["_templates"]
exclude_patterns = ["_build"]

# Every module of the package gets a page; what a module defines is described there and nowhere else, so that a
# name has one home even when a package hands it on. The two clients are shown with what their parts give them.
autosummary_generate = True
autosummary_ignore_module_all = False
autosummary_imported_members = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autodoc_default_options = {"show-inheritance": True}
# Extras need not be installed to build the documentation.
autodoc_mock_imports = ["serial", "serial_asyncio_fast", "pyarrow", "numpy"]
napoleon_google_docstring = True
napoleon_numpy_docstring = False
