# SPDX-License-Identifier: Apache-2.0
"""From an uploaded file to a list: checked, shown to a person, imported.

A step is taken by whoever comes first, a page for a small file or a worker's job, and
by one at a time. A step that is cut off leaves nothing behind and is taken again.
"""

import json
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from undisclosed.core.list_upload import UploadState
from undisclosed.errors import UndisclosedError
from undisclosed.send import recipients
from undisclosed.send.recipients import Checked, Columns, NoRecipients, Problem
from undisclosed.send.tables import TableUnreadable, open_table
from undisclosed.send.tables.held import file_of
from undisclosed.store import lists, uploads
from undisclosed.store.uploads import NoSuchUpload, Upload

SMALL: Final = 512 * 1024
"""Bytes of a file that a page takes the step for itself."""

MOST_BYTES: Final = 256 * 1024 * 1024
"""Bytes of a file that is taken at all."""

REFUSED: Final = "refused"

Hide = Callable[[str, datetime], None]
"""Has Memory keep the people of a list hidden from each other, where it is to."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of an uploaded file; ``refused`` says why it cannot be used."""

    checked: Checked | None = field(default=None, repr=False)
    refused: str = ""

    @property
    def is_importable(self) -> bool:
        """Whether it may be imported."""
        return self.checked is not None and self.checked.is_importable


def take(
    upload_id: str,
    *,
    own_domains: Collection[str] = (),
    now: Callable[[], datetime],
    hide: Hide,
) -> None:
    """Take the step that a file waits for, if any, and if nobody else does.

    ``hide`` is told of each list that was imported. Raises TransientError.
    """
    with uploads.at_work(upload_id) as is_ours:
        if not is_ours:
            return
        try:
            upload = uploads.get(upload_id)
        except NoSuchUpload:
            return
        match upload.state:
            case UploadState.WAITING:
                _check(upload, own_domains)
            case UploadState.CONFIRMED:
                _import(upload, now(), hide)
            case _:
                return


def take_all(
    *, own_domains: Collection[str], now: Callable[[], datetime], hide: Hide
) -> None:
    """Take the steps of all files that wait. Raises TransientError."""
    for upload_id in uploads.wanted():
        take(upload_id, own_domains=own_domains, now=now, hide=hide)


def found_of(upload: Upload) -> Found:
    """What the last step of a file wrote; nothing before."""
    if not upload.found:
        return Found()
    kept: dict[str, Any] = json.loads(upload.found)
    if REFUSED in kept:
        return Found(refused=kept[REFUSED])
    columns, problems = kept.pop("columns"), kept.pop("problems")
    names = tuple(columns.pop("names"))
    return Found(
        Checked(
            Columns(names, **columns),
            problems=[Problem(*one) for one in problems],
            shared_domains=frozenset(kept.pop("shared_domains")),
            dropped=tuple(kept.pop("dropped")),
            notes=tuple(kept.pop("notes")),
            **kept,
        )
    )


def _check(upload: Upload, own_domains: Collection[str]) -> None:
    choices = upload.choices
    try:
        with (
            file_of(uploads.content(upload.id)) as file,
            _teller(upload.id) as tell,
        ):
            checked = recipients.check(
                open_table(file, choices.get("sheet", "")),
                address_column=choices.get("address_column", ""),
                own_domains=own_domains,
                progress=tell,
            )
    except (TableUnreadable, NoRecipients) as error:
        uploads.refuse(upload.id, _refusal(error))
        return
    uploads.found(upload.id, _written(checked), checked.rows)


def _import(upload: Upload, now: datetime, hide: Hide) -> None:
    """Import what was checked, in the transaction that also forgets the file."""
    checked = found_of(upload).checked
    if checked is None or not checked.is_importable:
        raise NoSuchUpload
    try:
        with (
            file_of(uploads.content(upload.id)) as file,
            _teller(upload.id) as tell,
        ):
            table = open_table(file, upload.choices.get("sheet", ""))
            lists.import_rows(
                upload.list_id,
                checked.columns.names,
                recipients.rows(table, checked.columns),
                by=upload.by,
                now=now,
                shared_domains=checked.shared_domains,
                progress=tell,
            )
    except (lists.NoSuchList, lists.ListInUse, TableUnreadable) as error:
        uploads.refuse(upload.id, _refusal(error))
        return
    hide(upload.list_id, now)
    uploads.imported(upload.id)


def _written(checked: Checked) -> bytes:
    kept = asdict(checked)
    kept["problems"] = [list(asdict(one).values()) for one in checked.problems]
    kept["shared_domains"] = sorted(checked.shared_domains)
    return json.dumps(kept).encode()


def _refusal(error: UndisclosedError) -> bytes:
    return json.dumps({REFUSED: error.message}).encode()


@contextmanager
def _teller(upload_id: str) -> Iterator[Callable[[int], None]]:
    """Tells how far it is, over a thread's own connection; the latest number only."""
    with ThreadPoolExecutor(1) as thread:
        last: list[Future[None]] = []

        def tell(done: int) -> None:
            if not last or last[-1].done():
                last[:] = [thread.submit(uploads.tell, upload_id, done)]

        yield tell
