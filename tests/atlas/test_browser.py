"""The page in a real browser: it loads from a file, sorts, filters, tells numbers, and fits its windows.

The browser is `chromium`, `chromium-browser` or `google-chrome` of the PATH; without one they are skipped.
"""

import base64
import csv
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow
sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 375, "height": 812}


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no chromium on the PATH (apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """Open a page; whatever goes wrong in it, and every request that is not the page, fails the test."""
    wrong, contexts = [], []

    def opened(path, size=LAPTOP, scheme="light", url=None):
        context = browser.new_context(viewport=size, color_scheme=scheme)
        contexts.append(context)
        page, own = context.new_page(), url or path.as_uri()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        page.on(
            "request", lambda request: request.url.startswith(("data:", own)) or wrong.append(request.url)
        )
        page.goto(own)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not wrong


@pytest.fixture
def made(make_run, names):
    run = make_run(names)
    return run, run.page()


def luminance(colour):
    """Relative luminance (WCAG) of an opaque colour as a browser gives it: rgb(r, g, b)."""
    found = re.fullmatch(r"rgb\((\d+), (\d+), (\d+)\)", colour)
    assert found, colour
    levels = np.array(found.groups(), dtype=float) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def shown(page):
    return page.locator("tbody tr:not([hidden]) .model").all_text_contents()


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def best(table, study):
    """Value at the best layer of each model that has one, on the study's first corpus."""
    rows = table[(table.best == "yes") & (table.study == study)]
    rows = rows[rows.corpus == rows.corpus.iloc[0]]
    return dict(zip(rows.model, rows.value, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_it_loads_and_fits(visit, made, names, size, scheme):
    page = visit(made[1], size, scheme)
    assert shown(page) == names
    assert overflow(page) == 0
    for number in range(len(names)):
        box = page.locator("tbody tr th").nth(number).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= size["width"]
    ink, paper = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    ink, paper = luminance(ink), luminance(paper)
    assert (ink < paper) == (scheme == "light")
    assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) > 7, "the contrast of WCAG's level AAA"


def test_on_a_phone_every_cell_is_within_the_screen(visit, made):
    page = visit(made[1], PHONE)
    outside = page.evaluate(
        "[...document.querySelectorAll('tbody td, tbody svg, tbody .of > *')].filter(e => "
        "{ const b = e.getBoundingClientRect(); return b.width && (b.left < 0 || b.right > innerWidth); })"
        ".length"
    )
    assert outside == 0


@pytest.mark.parametrize("study", ["articulation", "kinematics", "tone", "alignment"])
@pytest.mark.parametrize("how", ["click", "keyboard"])
def test_it_sorts(visit, made, names, study, how):
    run, path = made
    page, values = visit(path), best(run.collect(), study)
    head = page.locator(f'th[data-column="{study} best"]')

    def press():
        if how == "click":
            head.locator("button").click()
        else:
            head.locator("button").focus()
            page.keyboard.press("Enter")

    assert head.get_attribute("aria-sort") == "none"
    without = [name for name in names if name not in values]
    press()
    assert head.get_attribute("aria-sort") == "descending"
    assert shown(page) == sorted(values, key=values.get, reverse=True) + without
    press()
    assert head.get_attribute("aria-sort") == "ascending"
    assert shown(page) == sorted(values, key=values.get) + without
    assert page.locator('th[aria-sort="none"]').count() == page.locator("th[aria-sort]").count() - 1


def test_every_column_sorts(visit, made, names):
    run, path = made
    page, table = visit(path), run.collect()
    columns = page.locator("th[data-column]").evaluate_all("heads => heads.map(head => head.dataset.column)")
    assert len(columns) == 1 + 3 + 3 + 4 + 3
    for column in columns:
        page.locator(f'th[data-column="{column}"] button').click()
        found = shown(page)
        assert sorted(found) == sorted(names)
        study, _, name = column.partition(" ")
        rows = table[table.study == study]
        rows = rows[rows.corpus == rows.corpus.iloc[0]] if len(rows) else rows
        at = rows[rows.best == "yes"]
        if name == "profile":
            values = dict(zip(at.model, at.relative_depth, strict=True))
        elif name == "specificity":
            rows = table[(table.study == study) & (table.measure == "specificity")].dropna(subset="value")
            rows = rows.drop_duplicates("model")
            values = dict(zip(rows.model, rows.value, strict=True))
        elif name == "span":
            spans = rows[rows.measure == "span_ms"].merge(at[["model", "layer"]])
            values = dict(zip(spans.model, spans.value, strict=True))
        elif name == "best":
            values = best(table, study)
        else:
            assert found == [
                "base",
                "base-asr-a",
                "base-asr-b",
                "base-untrained",
                "mfcc",
                "other-9",
                "other-10",
            ]
            continue
        values = {model: value for model, value in values.items() if np.isfinite(value)}
        assert len(values) > 1
        order = [values[model] for model in found if model in values]
        assert order == sorted(order, reverse=True)
        assert [model for model in found if model not in values] == found[len(values) :]


def test_it_filters(visit, made, names):
    page = visit(made[1])
    count = page.locator("#count")
    assert count.text_content() == "7 of 7 models"
    page.locator("#words").fill("BASE asr")
    assert shown(page) == ["base-asr-a", "base-asr-b"] and count.text_content() == "2 of 7 models"
    page.locator("#words").fill("no such model")
    assert shown(page) == [] and page.locator("#none").is_visible()
    page.locator("#again").click()
    assert shown(page) == names and not page.locator("#none").is_visible()
    page.locator('input[name=kind][value="trained"]').uncheck()
    assert shown(page) == ["base-untrained", "mfcc"]
    page.locator('input[name=kind][value="baseline"]').uncheck()
    assert shown(page) == ["base-untrained"]
    page.locator("#again").click()
    for study in ("articulation", "kinematics", "tone"):
        page.locator(f'input[name=study][value="{study}"]').uncheck()
    assert shown(page) == names[:3], "only three models are aligned"
    assert not page.locator("td.tone").first.is_visible() and page.locator("td.alignment").first.is_visible()


def test_a_hidden_study_orders_nothing(visit, made, names):
    page = visit(made[1])
    page.locator('th[data-column="articulation best"] button').click()
    for study in ("articulation", "kinematics"):
        page.locator(f'input[name=study][value="{study}"]').uncheck()
    assert shown(page) == names[:-1], "the baseline is in no other study"


def test_one_corpus_of_a_study(visit, make_run, names):
    run = make_run(names)
    page, table = visit(run.page()), run.collect()
    page.locator('select[data-study="tone"]').select_option("naile")
    assert set(page.locator("td.tone.profile .corpus:visible").all_text_contents()) == {"naile"}
    page.locator('th[data-column="tone best"] button').click()
    rows = table[(table.best == "yes") & (table.corpus == "naile")].sort_values("value", ascending=False)
    assert shown(page)[: len(rows)] == rows.model.tolist()


def test_the_order_can_be_chosen_on_a_phone(visit, made):
    run, path = made
    page, values = visit(path, PHONE), best(run.collect(), "articulation")
    assert not page.locator('th[data-column="articulation best"]').is_visible()
    page.locator("#order").select_option("articulation best")
    assert shown(page) == sorted(values, key=values.get, reverse=True)


def test_the_values_of_a_layer(visit, made):
    run, path = made
    page, table = visit(path), run.collect()
    rows = table[(table.model == "base") & (table.measure == "r_same_speaker")].set_index("layer")
    svg = page.locator("tr", has_text="base").locator("td.articulation svg").first
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    page.mouse.move(box["x"] + box["width"] * (19 + 98 * 0.5) / 122, box["y"] + box["height"] / 2)
    tip = page.locator("#tip")
    row = rows.loc[2]
    said = f"same speaker (E1): {row.value:.3f} [{row.low:.3f}, {row.high:.3f}], chance {row.chance:.3f}"
    assert said.replace("-", "−") in tip.text_content()
    assert "layer 2, relative depth 0.50" in tip.text_content()
    page.mouse.move(2, 2)
    assert not tip.is_visible()
    svg.focus()
    page.keyboard.press("End")
    assert (
        "layer 4, relative depth 1.00" in tip.text_content() and f"{rows.value[4]:.3f}" in tip.text_content()
    )
    page.keyboard.press("ArrowLeft")
    assert "layer 3, relative depth 0.75" in tip.text_content()
    page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_what_a_screen_reader_is_told(visit, made):
    """Curves let keys through and have names; the region that is read out is there before it has text."""
    page = visit(made[1])
    roles = page.locator("svg[data-key]").evaluate_all(
        "all => all.map(e => [e.role, e.ariaLabel, e.tabIndex])"
    )
    assert roles and all(role == "application" and label and tab == 0 for role, label, tab in roles)
    tip = page.locator("#tip")
    state = "e => [getComputedStyle(e).display, e.textContent]"
    display, text = tip.evaluate(state)
    assert display != "none" and text == "" and not tip.is_visible()
    page.locator("svg[data-key]").first.focus()
    page.keyboard.press("End")
    assert tip.is_visible() and tip.text_content()
    page.keyboard.press("Escape")
    display, text = tip.evaluate(state)
    assert display != "none" and text == "" and not tip.is_visible()


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_no_text_is_too_small_to_read(visit, made, size):
    page = visit(made[1], size)
    sizes = page.evaluate(
        """() => [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && [...e.childNodes]
        .some(n => n.nodeType === 3 && n.textContent.trim())).map(e => {
          const svg = e.closest('svg');
          const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
          return parseFloat(getComputedStyle(e).fontSize) * scale; })"""
    )
    assert len(sizes) > 100 and min(sizes) >= 9


def test_why_a_number_is_missing(visit, made):
    page = visit(made[1])
    dash = page.locator("tr", has_text="mfcc").locator("td.tone .missing").first
    dash.focus()
    assert page.locator("#tip").text_content() == "mfcc is not among this study's models"


@pytest.mark.parametrize("how", ["click", "keyboard"])
def test_the_numbers_behind_a_curve(visit, made, how):
    run, path = made
    page, table = visit(path), run.collect()
    cell = page.locator("tbody tr").first.locator("td.articulation.profile")
    if how == "click":
        cell.locator("button.numbers").click()
    else:
        cell.locator("svg").focus()
        page.keyboard.press("Enter")
    dialog = page.locator("#numbers")
    assert dialog.is_visible() and "base: Articulation" in dialog.text_content()
    lines = dialog.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => Number(cell.textContent)))"
    )
    rows = table[(table.model == "base") & (table.study == "articulation")]
    for start, measure in ((2, "r_same_speaker"), (6, "r_new_speaker")):
        expected = rows[rows.measure == measure][["value", "low", "high", "chance"]].to_numpy()
        np.testing.assert_array_equal(np.array(lines)[:, start : start + 4], expected)
    with page.expect_download() as download:
        dialog.locator("a").click()
    with open(download.value.path(), newline="", encoding="utf-8") as file:
        head, *body = csv.reader(file)
    assert head[:3] == ["layer", "relative_depth", "r_same_speaker value"]
    np.testing.assert_array_equal(np.array(body, dtype=float), lines)
    page.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_the_files_behind_the_curves_are_there(visit, made):
    _, path = made
    links = visit(path).locator("a.file").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    data = {link for link in links if link.startswith("tables/")}
    assert len(data) == 5 and all((path.parent / link).is_file() for link in data)
    for link in set(links) - data:
        assert link.startswith("../docs/") and (ROOT / "results" / link).resolve().is_file()


def test_within_a_report(visit, made):
    """As a data URI in a frame, where the files beside it are out of reach: no dead links, all numbers."""
    _, path = made
    outer = path.with_name("report.html")
    content = base64.b64encode(path.read_bytes()).decode()
    outer.write_text(
        f'<iframe src="data:text/html;base64,{content}" width="1000" height="700"></iframe>', encoding="utf-8"
    )
    page = visit(outer)
    frame = page.frame_locator("iframe")
    frame.locator('th[data-column="tone best"] button').click()
    assert frame.locator("tbody tr .model").first.text_content().startswith("base-asr")
    assert frame.locator("a.file").count() == 0
    assert "tables/atlas.csv" in frame.locator("footer").text_content()
    frame.locator("button.numbers").first.click()
    assert frame.locator("#numbers tbody tr").count() == 5


def test_hostile_names(visit, make_run, hostile):
    run = make_run(hostile)
    for size in (LAPTOP, PHONE):
        page = visit(run.page(), size)
        assert shown(page) == hostile and overflow(page) == 0
        page.locator("tbody tr").first.locator("button.numbers").first.click()
        assert hostile[0] in page.locator("#numbers-title").text_content()
        page.keyboard.press("Escape")
        page.locator("#words").fill("сеть %data%")
        assert shown(page) == [hostile[3]]


def test_a_study_is_missing(visit, make_run, names):
    run = make_run(names)
    del run.tables["alignment"]
    page = visit(run.page())
    assert page.locator('[data-study="alignment"]').count() == 0
    page.locator('th[data-column="tone specificity"] button').click()
    assert shown(page)[:2] in (["base-asr-a", "base-asr-b"], ["base-asr-b", "base-asr-a"])


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_sixty_models(visit, make_run, size):
    names = [f"wav2vec2-large-of-a-long-name-{i}" for i in range(60)]
    run = make_run(names, n_layers=33, tones=("vi", "th", "lo", "my"))
    run.models |= {name: run.models[name] | {"depth": 24} for name in names[10:20]}
    path = run.page()
    page = visit(path, size)
    times = []
    for _ in range(3):
        page.reload()
        times.append(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
    assert min(times) < 2000
    assert len(shown(page)) == 60 and overflow(page) == 0
    spent = page.evaluate(
        "() => { const start = performance.now(); const order = document.querySelector('#order');"
        "order.value = 'tone best'; order.onchange(); document.body.offsetHeight;"
        "return performance.now() - start; }"
    )
    assert spent < 1000


def test_on_paper(visit, made):
    page = visit(made[1])
    page.emulate_media(media="print")
    assert not page.locator(".tools").is_visible() and not page.locator("button.numbers").first.is_visible()
    height = page.evaluate("(e => e.clientHeight - e.scrollHeight)(document.querySelector('.scroll'))")
    assert height == 0, "nothing is cut off"


def test_without_scripts_the_table_is_whole(browser, made, names):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(made[1].as_uri())
    assert page.locator("tbody tr .model").all_text_contents() == names
    assert not page.locator(".tools").is_visible()
    context.close()
