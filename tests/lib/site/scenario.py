"""The story of a site from first start to its end: what the demo tells and the end-to-end test proves.

Each step is a sentence and a function that looks for itself; it returns what was seen or raises Failed. The chapters are
in the order of these lines.
"""
from . import chapter_owning, chapter_using, chapter_ending  # noqa: F401 - they fill STORY
from .stage import STORY, Stage, play  # noqa: F401
