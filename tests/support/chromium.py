"""A headless Chromium, controlled over its debugging pipe with only the standard library."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--remote-debugging-pipe",
    "about:blank",
)
# Chromium reads commands on descriptor 3 and writes answers on 4.
_MOVE = "import os, sys; a = sys.argv; os.dup2(int(a[1]), 3); os.dup2(int(a[2]), 4); os.execv(a[3], a[3:])"


def executable() -> str | None:
    """Where Chromium is on this machine."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Page:
    """One tab, its console and every request that it made."""

    def __init__(self, commands: IO[bytes], answers: IO[bytes]) -> None:
        self._commands, self._answers = commands, answers
        self._number = 0
        self._events: list[dict[str, Any]] = []
        self._session: str | None = None
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._send(f"{domain}.enable")

    def open(self, url: str) -> None:
        """Load a page and wait until it is loaded."""
        self._events.clear()
        self._send("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._receive()
        self.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def run(self, script: str) -> Any:
        """The value of an expression; promises are awaited."""
        answer = self._send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, *keys: str) -> None:
        """Press keys, one after the other; single characters are typed."""
        for key in keys:
            text = {"Enter": "\r", " ": " "}.get(key, key if len(key) == 1 else "")
            event = {"key": key, "code": key, **_CODES.get(key, {})}
            self._send("Input.dispatchKeyEvent", type="keyDown", **event, **({"text": text} if text else {}))
            self._send("Input.dispatchKeyEvent", type="keyUp", **event)

    def media(self, *, kind: str = "", scheme: str = "light") -> None:
        """Emulate a printer or dark mode."""
        self._send("Emulation.setEmulatedMedia", media=kind, features=[_feature("prefers-color-scheme", scheme)])

    def size(self, width: int, height: int, *, scale: float = 1) -> None:
        """Resize the window."""
        self._send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Save a picture of the window, or of the whole page."""
        data = self._send("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))

    def pdf(self, path: Path) -> None:
        """Save the page as printed."""
        data = self._send("Page.printToPDF", printBackground=False)["data"]
        path.write_bytes(base64.b64decode(data))

    @property
    def complaints(self) -> list[str]:
        """Errors and warnings of the console since the page was opened, uncaught exceptions among them."""
        said = []
        for event in self._events:
            body = event["params"]
            if event["method"] == "Runtime.exceptionThrown":
                said.append(str(body["exceptionDetails"]))
            elif event["method"] == "Log.entryAdded" and body["entry"]["level"] in {"error", "warning"}:
                said.append(body["entry"]["text"])
            elif event["method"] == "Runtime.consoleAPICalled" and body["type"] in {"error", "warning", "assert"}:
                said.append(str(body["args"]))
        return said

    @property
    def requests(self) -> list[str]:
        """The URL of every unblocked request since the page was opened."""
        failed = [event["params"] for event in self._events if event["method"] == "Network.loadingFailed"]
        kept_back = {failure["requestId"] for failure in failed if "blockedReason" in failure}
        sent = [event["params"] for event in self._events if event["method"] == "Network.requestWillBeSent"]
        return [request["request"]["url"] for request in sent if request["requestId"] not in kept_back]

    def _send(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        number = self._number
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def _receive(self) -> dict[str, Any]:
        data = bytearray()
        while (byte := self._answers.read(1)) != b"\0":
            assert byte, "Chromium has ended"
            data += byte
        message: dict[str, Any] = json.loads(data)
        if "method" in message:
            self._events.append(message)
        return message


_CODES: dict[str, dict[str, Any]] = {
    "Enter": {"windowsVirtualKeyCode": 13},
    "Escape": {"windowsVirtualKeyCode": 27},
    "Tab": {"windowsVirtualKeyCode": 9},
    "ArrowDown": {"windowsVirtualKeyCode": 40},
    "ArrowUp": {"windowsVirtualKeyCode": 38},
}


def _feature(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


@contextmanager
def browser(program: str) -> Iterator[Page]:
    """A page of a new Chromium, which ends with the block."""
    to_read, commands = os.pipe()
    answers, to_write = os.pipe()
    with tempfile.TemporaryDirectory(prefix="asrnet-chromium-", ignore_cleanup_errors=True) as profile:
        argv = [sys.executable, "-c", _MOVE, str(to_read), str(to_write), program, f"--user-data-dir={profile}", *FLAGS]
        process = subprocess.Popen(
            argv, pass_fds=(to_read, to_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(to_read)
        os.close(to_write)
        try:
            with os.fdopen(commands, "wb") as commands_file, os.fdopen(answers, "rb") as answers_file:
                page = Page(commands_file, answers_file)
                yield page
                with suppress(OSError, AssertionError):
                    page._session = None
                    page._send("Browser.close")
            process.wait(timeout=10)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
