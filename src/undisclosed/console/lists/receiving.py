# SPDX-License-Identifier: Apache-2.0
"""An uploaded file as it comes in: in memory, never in a folder of temporary files."""

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from undisclosed.send.importing import MOST_BYTES


class MemoryUpload(FileUploadHandler):
    """Keeps a file in memory; ``was_too_large`` where it was cut off."""

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self.was_too_large = False
        self._file = BytesIO()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """A file begins."""
        super().new_file(*args, **kwargs)
        self._file = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Take a piece of it. Raises StopUpload where it is too large."""
        if start + len(raw_data) > MOST_BYTES:
            self.was_too_large = True
            self._file = BytesIO()
            raise StopUpload(connection_reset=False)
        self._file.write(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        """The file, whole."""
        self._file.seek(0)
        return InMemoryUploadedFile(
            file=self._file,
            field_name=self.field_name,
            name=self.file_name,
            content_type=self.content_type,
            size=file_size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )
