"""The sections on one scenario, in the order policy readers know from impact studies."""

from collections.abc import Callable, Iterator

from nearshore_io.report.answer import headline, simulated
from nearshore_io.report.document import Block, Section
from nearshore_io.report.doubts import benchmarks, limits, sensitivity
from nearshore_io.report.findings import Findings
from nearshore_io.report.impacts import industries, summary
from nearshore_io.report.money import dollar, trade
from nearshore_io.report.pen import Pen
from nearshore_io.report.studied import Study
from nearshore_io.words import Words

ORDER: dict[str, Callable[[Pen], Iterator[Block]]] = {
    "headline": headline,
    "simulated": simulated,
    "summary": summary,
    "industries": industries,
    "dollar": dollar,
    "trade": trade,
    "sensitivity": sensitivity,
    "benchmarks": benchmarks,
    "limits": limits,
}


def study_sections(found: Findings, study: Study, words: Words, number_of: int) -> list[Section]:
    """Return all sections on a scenario; its number keeps names apart where there are several."""
    pen = Pen(found, study, words, f"s{number_of}")
    written = {name: list(write(pen)) for name, write in ORDER.items()}
    return [Section(pen.say(f"sections.{name}"), blocks, pen.name(name)) for name, blocks in written.items() if blocks]
