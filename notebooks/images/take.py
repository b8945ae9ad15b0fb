"""Take the README's picture of a report: `make picture` after `make demo`, WORKSPACE=<folder> for another.

Shown are the head of the page, training and metrics. Needs Chromium or Chrome (Debian: apt-get install
chromium); the variable BROWSER names another place.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

PICTURE = Path(__file__).with_name("report.png")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTH, HEIGHT = 1160, 1720
SHOWN = """<style>
main > section:not(#training, #metrics), footer { display: none }
header { padding-top: 12px } h2 { margin-top: 36px }
</style>"""


def main(report: Path) -> None:
    """Replace the picture by one of this report."""
    page = report.read_text(encoding="utf-8").replace("</head>", f"{SHOWN}</head>")
    with tempfile.TemporaryDirectory() as scratch:
        shown, taken = Path(scratch) / "report.html", Path(scratch) / "report.png"
        shown.write_text(page, encoding="utf-8")
        options = ("--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={WIDTH},{HEIGHT}")
        command = [
            browser(),
            *options,
            f"--user-data-dir={scratch}/profile",
            f"--screenshot={taken}",
            shown.as_uri(),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        # A palette of 256 colours: a third of the bytes, and no eye sees it.
        Image.open(taken).convert("RGB").quantize(256).save(PICTURE, optimize=True)
    print(f"{PICTURE} shows {report}")


def browser() -> str:
    """Return the browser to use; exits with a sentence when there is none."""
    named = [os.environ["BROWSER"]] if os.environ.get("BROWSER") else BROWSERS
    found = next((place for name in named if (place := shutil.which(name))), None)
    return found or sys.exit(
        "picture: no Chromium or Chrome found: install one, or name it with BROWSER=<file>"
    )


if __name__ == "__main__":
    chosen = Path(sys.argv[1]) / "report.html"
    main(chosen) if chosen.is_file() else sys.exit(f"picture: {chosen} does not exist: run `make demo` first")
