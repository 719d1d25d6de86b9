"""What notebooks show: small tables of facts as HTML, every text escaped."""

from collections.abc import Mapping, Sequence
from html import escape

import pandas as pd

LEFT = "text-align:left;overflow-wrap:anywhere;vertical-align:top"
MOST = 30
"""Rows of a table that are shown; the rest are counted."""


def card(title: str, facts: Mapping[str, str], *below: str) -> str:
    """Return a title, a table of facts (empty ones left out), and what goes below them (HTML already)."""
    rows = "".join(
        f'<tr><th style="{LEFT}">{escape(name)}</th><td style="{LEFT}">{escape(value)}</td></tr>'
        for name, value in facts.items()
        if value
    )
    return f"<div><strong>{escape(title)}</strong><table>{rows}</table>{''.join(below)}</div>"


def frame(values: pd.DataFrame) -> str:
    """Return a table as HTML, its first rows and how many are left."""
    left = len(values) - MOST
    text = str(values.head(MOST).to_html(index=False, border=0, na_rep=""))
    return text + (f"<p>… {left:,} more rows</p>" if left > 0 else "")


def listing(items: Sequence[str]) -> str:
    """Return texts as an HTML list."""
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>" if items else ""
