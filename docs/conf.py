"""The documentation site: ``python -m sphinx -W --keep-going -b html docs docs/_build/html``."""

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS / "_ext"), str(DOCS.parent)]

import difftem  # noqa: E402  # from the checkout

project = "difftem"
author = copyright = "the difftem developers"
version = release = difftem.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_design",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "gallery_pages",
    "native_math",
    "repository_pages",
    "command_pages",
    "key_pages",
    "api_pages",
    "detector_pages",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_ext", "_templates", "tutorials"]
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", ".*")]  # names in single backticks: links where there is a page

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "attrs_inline"]
myst_heading_anchors = 4
suppress_warnings = [
    "myst.header",  # a README of an experiment may begin below its first heading
]

autosummary_generate = ["reference/python.rst", "reference/functional.rst", "reference/more.rst"]
autodoc_typehints = "none"  # numpydoc says them
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

sphinx_gallery_conf = {
    "examples_dirs": "tutorials",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "within_subsection_order": "gallery_pages.reading_order",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "write_computation_times": False,
    "show_signature": False,
    "capture_repr": (),
    "remove_config_comments": True,
}

html_theme = "pydata_sphinx_theme"
html_title = "difftem"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_sidebars = {
    name: [] for name in ("start", "pictures", "questions", "changelog", "contributing")
}
smartquotes_action = "qe"  # not dashes: --options are options
html_show_sourcelink = False
html_theme_options = {
    "navbar_align": "left",
    "show_toc_level": 2,
    "header_links_before_dropdown": 7,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
