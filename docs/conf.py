"""How the documentation is built: `make docs`."""

import importlib
import inspect
import warnings

import sklearn_hpt

project = "sklearn_hpt"
author = "the developers of sklearn_hpt"
copyright = author
release = version = sklearn_hpt.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates", "examples", "gallery", "sg_execution_times.rst"]

# pages are read on their own too, where a link to a heading is made from its words
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "dollarmath"]

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings have them
default_role = "literal"


def own_methods(module: str, name: str) -> list[str]:
    """Return the public methods of a class that this library documents, not scikit-learn."""
    cls = getattr(importlib.import_module(module), name)
    return [
        method
        for method, value in inspect.getmembers(cls, inspect.isroutine)
        if not method.startswith("_")
        and (getattr(value, "__module__", None) or "").startswith("sklearn_hpt")
        and inspect.getdoc(value)
    ]


autosummary_context = {"own_methods": own_methods}
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "pydata_sphinx_theme"
html_title = "sklearn_hpt"
html_static_path = ["_static"]
html_css_files = ["gallery.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "sklearn_hpt"},
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc", "sg_download_links"],
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
}
html_sidebars = {"changelog": []}

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"plot_",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "doc_module": ("sklearn_hpt",),
    "backreferences_dir": "api/backreferences",
    "inspect_global_variables": False,
    "copyfile_regex": r".*\.csv\.gz",
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

suppress_warnings = [
    "config.cache",  # of functions in this file
    # of the folder that holds the repository too, where it does no harm: links are checked
    "sphinx_gallery.space_in_filename",
]

# what an example prints is its own, what a library warns of is not
warnings.filterwarnings("ignore", category=DeprecationWarning)
