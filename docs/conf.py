"""How the documentation is built: `make docs`. Every code cell is run; a warning is an error."""

import sys
from pathlib import Path

import nearshore_io

sys.path.insert(0, str(Path(__file__).parent))

project = "nearshore_io"
author = "The nearshore_io developers"
copyright = "2026, the nearshore_io developers"
version = release = nearshore_io.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_design",
    "generated_pages",
]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
templates_path = ["_templates"]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "attrs_inline"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_cache_path = str(Path(__file__).parent / "_build" / ".jupyter_cache")
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
default_role = "code"

html_theme = "pydata_sphinx_theme"
html_title = "nearshore_io"
html_static_path = ["_static"]
html_css_files = ["nearshore.css"]
html_show_sourcelink = False
html_sidebars = {"tutorial/*": [], "index": []}
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": True,
    "secondary_sidebar_items": ["page-toc"],
    "header_links_before_dropdown": 7,
    "show_prev_next": True,
}
