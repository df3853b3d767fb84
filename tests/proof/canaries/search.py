"""Runs the attack: sends canaries through the platform, and reads every place where they could be."""

from __future__ import annotations

import contextlib
import io
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from operations import redrive
from tests.journeys.patience import WITHIN_S
from tests.journeys.stack import local
from tests.proof.canaries import faults
from tests.proof.canaries.canaries import Canaries
from tests.proof.canaries.drive import Drive
from tests.proof.canaries.places import Place, Places
from tests.proof.canaries.table import Row, stale

PLANTED = "planted"


@dataclass(frozen=True)
class Search:
    """The canaries that the attack sent, and those that it found in each place."""

    drive: Drive
    places: Places
    planted: Mapping[str, str]
    """{place: word that the attack wrote there to check that it can read the place}"""
    words: Mapping[str, set[str]]
    """{place: all canaries that were found there}"""
    examples: Mapping[tuple[str, str], str]
    """{(place, kind of data): a text from this place that contained data of this kind}"""

    @property
    def kinds(self) -> dict[str, set[str]]:
        """{place: kinds of data that were found there}. Planted words don't count."""
        known = self.drive.words.kinds
        return {place: {known[word] for word in found} - {PLANTED} for place, found in self.words.items()}

    def example(self, stray: str) -> str:
        """Return the text around a canary that was found in the wrong place.

        `stray` is "place: kind of data", for example "log of users_api: name".
        """
        place, _, kind = stray.partition(": ")
        text, known = self.examples[place, kind], self.drive.words.kinds
        at = [text.lower().find(word) for word in self.words[place] if known[word] == kind]
        first = min((each for each in at if each >= 0), default=0)
        return text[max(0, first - 200) : first + 200]


def drive_through(drive: Drive, places: Places, *, full: bool) -> None:
    """Send canaries in all inputs. If `full` is true, also cause failures."""
    words, local_people = drive.words, drive.stack.outputs["local"]
    for who in ("customer", "admin"):
        words.known(local_people[who]["username"], "mail address")
        words.known(local_people[who]["password"], "password")
    drive.taken()
    drive.refused()
    drive.forging()
    (archive,) = (place for place in places.all if place.name == "archive")
    archive.plant(words.known(_in_archive(words), PLANTED))
    places.replay(until_s=time.time() + 1)
    if not full:
        return
    faults.denied_to_apis(drive)
    faults.without_connection(drive)
    faults.denied_behind(drive)
    faults.poison(drive)
    said = local("order", drive.stack.instance).stdout
    for order_id in re.findall(r"Order ([0-9a-f-]{36})", said):
        words.known(order_id, "order id")
    words.known("green-tea", "product id")
    places.outputs["make order"] = said
    places.outputs["make redrive"] = _redrive_said(drive)


def look(drive: Drive, places: Places, table: Mapping[str, Row], *, full: bool) -> Search:
    """Write a test word to each place. Read the places for at most WITHIN_S seconds, until each one shows its word.

    If `full` is true, read them until each place also shows all kinds of data that docs/data.md allows there.
    """
    planted = {"archive": _in_archive(drive.words)}
    for place in places.all:
        if place.name not in planted:
            planted[place.name] = drive.words.new(PLANTED)
            place.plant(planted[place.name])
    found: dict[str, set[str]] = {}
    examples: dict[tuple[str, str], str] = {}
    ends = time.monotonic() + WITHIN_S
    waiting = [place.name for place in places.all]
    while waiting and time.monotonic() < ends:
        for place in places.all:
            if place.name in waiting:
                found[place.name] = _read(drive.words, place, examples)
        search = Search(drive, places, planted, found, examples)
        promised = {line.partition(":")[0] for line in stale(search.kinds, table)} if full else set[str]()
        waiting = [name for name, word in planted.items() if word not in found[name] or name in promised]
        time.sleep(0.2)
    return Search(drive, places, planted, found, examples)


def _read(words: Canaries, place: Place, examples: dict[tuple[str, str], str]) -> set[str]:
    found: set[str] = set()
    for text in place.read():
        here = words.within(text)
        for word in here:
            examples.setdefault((place.name, words.kinds[word]), text)
        found |= here
    return found


def _redrive_said(drive: Drive) -> str:
    """Return the output of `make redrive DRY_RUN=1` for the failure queues that contain messages."""
    stack = drive.stack
    queues = {name: each for name, each in stack.ops["failureQueues"].items() if stack.queued(each["url"])}
    with contextlib.redirect_stdout(io.StringIO()) as said:
        redrive.redrive({**stack.outputs, "ops": {"failureQueues": queues}}, dry_run=True)
    return said.getvalue()


def tidy(drive: Drive, places: Places) -> None:
    """Delete the planted words, and empty the failure queues that the attack filled."""
    for undo in places.undo:
        undo()
    stack = drive.stack
    for each in stack.ops["failureQueues"].values():
        if stack.queued(each["url"]):
            stack.aws("sqs", "purge_queue", QueueUrl=each["url"])


def _in_archive(words: Canaries) -> str:
    """Return the word that tests the search of the archive.

    The attack publishes an event with this word on the bus, and then replays the archived events. If the search works,
    it finds the word in a replayed event.
    """
    return f"{words.run}archive0x"
