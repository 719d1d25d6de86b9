"""What pages for people say, in English and Spanish: sentences by key, and phrases that results carry."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from nearshore_io.errors import LabelError

LANGUAGES = ("en", "es")


@dataclass(frozen=True)
class Words:
    """The words of one language.

    Attributes
    ----------
    lang : "en" or "es".
    sentences : by key, such as ``report.limits``, with places in braces.
    phrases : what results say in English, in this language; empty for English.
    countries : names by code.
    """

    lang: str
    sentences: Mapping[str, str]
    phrases: Mapping[str, str]
    countries: Mapping[str, str]

    def say(self, key: str, **values: Any) -> str:
        """Return a sentence with its places filled."""
        return self.sentences[key].format(**values)

    def __call__(self, phrase: str) -> str:
        """Return a phrase in this language, as it is where nobody has translated it; country codes as names."""
        return self.phrases.get(phrase, self.countries.get(phrase, phrase))

    def knows(self, phrase: str) -> bool:
        """Tell whether a phrase is of this language: all are of English."""
        return self.lang == "en" or phrase in self.phrases or not any(letter.isalpha() for letter in phrase)

    def country(self, code: str) -> str:
        """Return the name of a country, its code where there is none."""
        return self.countries.get(code, code)

    def listed(self, section: str, without: Collection[str] = ()) -> list[str]:
        """Return the sentences of a section of the report, in their order, without some of its keys."""
        prefix = f"report.{section}."
        return [
            text
            for key, text in self.sentences.items()
            if key.startswith(prefix) and key.removeprefix(prefix) not in without
        ]

    def part(self, section: str) -> dict[str, Any]:
        """Return the sentences of a section by the rest of their key, nested where keys are: for a script."""
        found: dict[str, Any] = {}
        for key, text in self.sentences.items():
            if key.startswith(f"{section}."):
                at, *inner = key.removeprefix(f"{section}.").split(".")
                if inner:
                    found.setdefault(at, {})[inner[0]] = text
                else:
                    found[at] = text
        return found


@cache
def words_of(lang: str) -> Words:
    """Return the words of a language.

    Raises
    ------
    LabelError
        If pages are not written in it.
    """
    if lang not in LANGUAGES:
        raise LabelError(f"pages are written in {' and '.join(LANGUAGES)} (English, Spanish), not in {lang!r}.")
    catalogue = _read(f"{lang}.toml")
    phrases = dict(catalogue.get("phrases", {}))
    if lang != "en":
        phrases = {**_read(f"{lang}-phrases.toml")["phrases"], **phrases}
    sentences = {
        key: text for section in ("report", "explore", "script") for key, text in _flat(catalogue[section], section)
    }
    return Words(lang, sentences, phrases, catalogue["countries"])


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _flat(content: Mapping[str, Any], prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in content.items():
        name = f"{prefix}.{key}"
        found += _flat(value, name) if isinstance(value, Mapping) else [(name, value)]
    return found
