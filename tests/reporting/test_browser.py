"""The page in a real browser, if there is one: no errors, no requests, buttons that copy, no sideways scroll."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess

import pandas as pd
import pytest

import disentangle_metrics as dm
from tests.reporting.example import REPORT, UNKIND, score

pytest.importorskip("jinja2")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")

# Clicks every button, with a clipboard that keeps what it is given, and leaves what it saw in the page.
PROBE = """
<script>
function channels(colour) {
  const numbers = colour.match(/[\\d.]+/g).map(Number);
  const alpha = numbers[3] ?? 1;
  return [...numbers.slice(0, 3).map((value) => colour.startsWith("rgb") ? value / 255 : value), alpha];
}
function luminance(colour) {
  const [red, green, blue] = channels(colour).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
function ground(element) {
  for (let at = element; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if (channels(colour)[3] === 1) return colour;
  }
}
// The least contrast of any text with what is behind it.
function faintest() {
  let least = [21, ""];
  for (const element of document.body.querySelectorAll("*:not(script):not([hidden])")) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
    const pair = [luminance(getComputedStyle(element).color), luminance(ground(element))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < least[0]) least = [ratio, element.outerHTML.slice(0, 200)];
  }
  return least;
}
(async () => {
  const got = {};
  let last = "";
  Object.defineProperty(navigator, "clipboard", {value: {writeText: async (text) => { last = text; }}});
  for (const button of document.querySelectorAll("button[data-copy]")) {
    last = "";
    button.click();
    await new Promise((done) => setTimeout(done, 50));
    got[button.dataset.copy] = [last, button.textContent, document.getElementById("said").textContent];
  }
  const seen = {
    got, width: innerWidth, scroll: document.documentElement.scrollWidth,
    requests: performance.getEntriesByType("resource").map((entry) => entry.name),
    paper: getComputedStyle(document.body).backgroundColor,
    faint: faintest(),
    spilt: [...document.querySelectorAll("th, td")].filter((cell) => cell.scrollWidth > cell.clientWidth)
      .map((cell) => cell.textContent),
  };
  const out = document.createElement("pre");
  out.id = "seen";
  out.textContent = JSON.stringify(seen);
  document.body.append(out);
})();
</script>
"""


def look(folder, text: str, width: int = 1280, *more: str) -> tuple[dict, str]:
    """What the probe saw, and what the browser logged."""
    path = folder / "report.html"
    path.write_text(text.replace("</body>", PROBE + "</body>"), encoding="utf-8")
    done = subprocess.run(
        [
            CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--window-size={width},900",
            f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=5000", *more, "--dump-dom", path.as_uri(),
        ],
        capture_output=True, text=True, timeout=90,
    )  # fmt: skip
    found = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.S)
    assert found, done.stderr[-2000:]
    return json.loads(html.unescape(found[1])), done.stderr


def test_buttons_copy_and_nothing_complains(tmp_path):
    seen, log = look(tmp_path, REPORT.to_html())
    assert "CONSOLE" not in log
    assert seen["requests"] == []
    got = seen["got"]
    assert json.loads(got["report-json"][0]) == REPORT.to_dict()
    assert got["report-latex"][0] == REPORT.to_latex()
    assert got["report-bibtex"][0] == dm.cite(REPORT).bibtex
    assert all(label == "Copied" for _, label, _ in got.values())
    assert got["report-json"][2] == "Copy JSON: copied"
    assert UNKIND in got["report-json"][0]


@pytest.mark.parametrize("width", [500, 1920])
def test_nothing_scrolls_sideways(width, tmp_path):
    seen, _ = look(tmp_path, REPORT.to_html(), width)
    assert seen["scroll"] <= seen["width"]


def test_long_names_stay_in_their_cells(tmp_path):
    names = [f"encoder.layer_3.latent_mean_{place}" for place in range(2)]
    table = pd.DataFrame(
        [[1.5, 0.25], [0.125, 0.5]], index=names, columns=[f"the_orientation_of_{n}" for n in names]
    )
    report = dm.Report({"mig": score("mig", 0.5, "", details={"mutual_information": table})})
    seen, _ = look(tmp_path, report.to_html())
    assert seen["spilt"] == []


def test_dark_is_dark(tmp_path):
    light, _ = look(tmp_path, REPORT.to_html())
    dark, _ = look(tmp_path, REPORT.to_html(), 1280, "--blink-settings=preferredColorScheme=0")
    assert light["paper"] == "rgb(255, 255, 255)"
    assert dark["paper"] == "rgb(20, 24, 29)"
    for seen in (light, dark):
        ratio, where = seen["faint"]
        assert 4.5 <= ratio < 21, where
