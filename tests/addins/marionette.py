# SPDX-License-Identifier: Apache-2.0
"""A client of Marionette, by which a test drives a Mozilla program over a socket."""

import json
import socket
from typing import Any

# What a script throws comes back as a value: Marionette's own text cuts it short.
_WRAPPED = """
const done = arguments[arguments.length - 1];
(async () => {%s})().then(
  (value) => done({value}),
  (error) => done({error: `${error}\\n${error.stack}`}),
);
"""


class Marionette:
    """One session; scripts run with the rights of the program itself."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._file = self._socket.makefile("rb")
        self._last = 0
        self._receive()
        self.call("WebDriver:NewSession")
        self.call("Marionette:SetContext", value="chrome")

    def script(self, body: str, *arguments: object) -> Any:
        """Run the body of an async function; what it returned."""
        found = self.call(
            "WebDriver:ExecuteAsyncScript",
            script=_WRAPPED % body,
            args=list(arguments),
            newSandbox=True,
        )["value"]
        assert "error" not in found, found["error"]
        return found.get("value")

    def call(self, name: str, **parameters: object) -> Any:
        """One command of the protocol; its result."""
        self._last += 1
        message = json.dumps([0, self._last, name, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self._receive()
        assert error is None, error
        return result

    def close(self) -> None:
        """Let go of the socket."""
        self._file.close()
        self._socket.close()

    def _receive(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            one = self._file.read(1)
            assert one, "the program has closed the connection"
            length += one
        return json.loads(self._file.read(int(length[:-1])))
