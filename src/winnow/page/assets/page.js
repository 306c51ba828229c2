"use strict";
// Everything that comes from the data is set as text, never as HTML.
document.documentElement.classList.add("scripts");

const byId = (id) => document.getElementById(id);

function made(tag, text, options = {}) {
  const element = Object.assign(document.createElement(tag), options);
  if (text !== undefined) element.textContent = text;
  return element;
}

// ---- tables that sort

const compareTexts = new Intl.Collator("en", { numeric: true }).compare;

function valueOf(cell) {
  const text = cell.dataset.value ?? cell.textContent.trim();
  if (text === "") return { empty: true };
  const number = Number(text.replace("∞", "Infinity").replace("−", "-"));
  return Number.isNaN(number) ? { text } : { number };
}

function compareValues(a, b) {
  if (a.number !== undefined && b.number !== undefined) return a.number - b.number;
  return compareTexts(a.text ?? String(a.number), b.text ?? String(b.number));
}

function sortTable(table, column, direction) {
  const rows = [...table.tBodies[0].rows].map((row) => ({ row, value: valueOf(row.cells[column]) }));
  rows.sort((a, b) => {
    if (a.value.empty || b.value.empty) return (a.value.empty ? 1 : 0) - (b.value.empty ? 1 : 0); // always last
    return direction * compareValues(a.value, b.value);
  });
  table.tBodies[0].append(...rows.map((each) => each.row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button.sort")?.addEventListener("click", () => {
      const rising = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      sortTable(table, column, rising ? 1 : -1);
    });
  });
}

// ---- claims

function filterClaims() {
  const wanted = byId("verdict").value;
  const rows = [...byId("claims-table").tBodies[0].rows];
  for (const row of rows) row.hidden = wanted !== "" && row.dataset.verdict !== wanted;
  const shown = rows.filter((row) => !row.hidden).length;
  byId("claims-shown").textContent = `${shown} of ${rows.length} claims`;
}

byId("verdict").addEventListener("change", filterClaims);
byId("open").addEventListener("click", () => {
  const all = [...byId("claims-table").querySelectorAll("details")];
  const open = all.some((each) => !each.open);
  for (const each of all) each.open = open;
  byId("open").textContent = open ? "Close all" : "Open all";
});
filterClaims();

// ---- on paper, everything is open

let closed = [];
addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details:not([open])")];
  for (const each of closed) each.open = true;
});
addEventListener("afterprint", () => {
  for (const each of closed) each.open = false;
});

// ---- charts, each drawn when it comes near the screen

async function drawChart(chart) {
  const spec = JSON.parse(chart.querySelector("script").textContent);
  const figure = chart.closest("figure");
  chart.hidden = false; // before it is drawn: its width is that of its place
  try {
    const { view } = await vegaEmbed(chart.querySelector(".canvas"), spec, {
      mode: "vega-lite", renderer: "svg", actions: false, ast: true, // as an interpreter: the page forbids eval
    });
    chart.querySelector(".canvas svg")?.setAttribute("aria-hidden", "true"); // its place has a text that says all of it
    figure?.classList.add("live");
    const buttons = [...chart.querySelectorAll(".legend button")];
    for (const button of buttons) {
      button.addEventListener("click", () => {
        button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
        const off = buttons.filter((each) => each.getAttribute("aria-pressed") !== "true");
        view.signal("hidden", off.map((each) => each.dataset.series)).runAsync();
      });
    }
  } catch (error) {
    chart.hidden = true; // the picture stands
    console.error(error);
  }
}

function drawCharts() {
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries.filter((each) => each.isIntersecting)) {
        watcher.unobserve(entry.target);
        for (const chart of entry.target.querySelectorAll(":scope > .chart")) drawChart(chart);
      }
    },
    { rootMargin: "600px" },
  );
  const places = new Set([...document.querySelectorAll(".chart")].map((chart) => chart.parentElement));
  for (const place of places) watcher.observe(place);
}

// ---- images to browse and correct

function browse(data) {
  const PER_PAGE = 100, TILE = 64, LARGE = 160;
  const rows = data.ids.map((_, row) => row);
  const scores = Object.fromEntries(
    Object.entries(data.scores).map(([name, values]) => [name, values.map((value) => (value === null ? NaN : Number(value)))]),
  );
  const key = `winnow labels ${data.source} ${data.classes.join(",")}`; // ids stay the same from run to run
  let marks = new Map(); // from id to class name
  let page = 0, shown = [], current = -1, kept = true;

  try {
    marks = new Map(Object.entries(JSON.parse(localStorage.getItem(key) ?? "{}")).filter(([, name]) => data.classes.includes(name)));
  } catch {
    kept = false; // a private window, say
  }

  function keep() {
    try {
      localStorage.setItem(key, JSON.stringify(Object.fromEntries(marks)));
    } catch {
      kept = false;
    }
  }

  const sheets = [];
  function sheet(number) { // a blob, so that a hundred tiles share one address of a few letters
    if (!sheets[number]) {
      const text = atob(data.sprites.sheets[number].split(",")[1]);
      const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
      sheets[number] = URL.createObjectURL(new Blob([bytes], { type: "image/webp" }));
    }
    return sheets[number];
  }

  function thumb(row, side) {
    const { width, height, across, per_sheet } = data.sprites;
    const scale = side / Math.max(width, height), place = row % per_sheet;
    const lines = Math.ceil(Math.min(per_sheet, data.ids.length - (row - place)) / across);
    const element = made("span", undefined, { className: Math.max(width, height) <= 32 ? "thumb pixelated" : "thumb" });
    Object.assign(element.style, {
      width: `${width * scale}px`, height: `${height * scale}px`, backgroundImage: `url(${sheet(Math.floor(row / per_sheet))})`,
      backgroundSize: `${across * width * scale}px ${lines * height * scale}px`,
      backgroundPosition: `${-(place % across) * width * scale}px ${-Math.floor(place / across) * height * scale}px`,
    });
    return element;
  }

  const label = (row) => data.classes[data.labels[row]];
  const text = (value) => (Number.isNaN(value) ? "none" : value === Infinity ? "∞" : String(value));

  function belongs(row) {
    const which = byId("which").value, wanted = byId("class").value;
    if (wanted !== "" && data.labels[row] !== Number(wanted)) return false;
    if (which === "suspects") return data.predicted[row] !== null && data.predicted[row] !== label(row);
    if (which === "marked") return marks.has(data.ids[row]);
    return which === "all" || data.sides[row] === which;
  }

  function list() {
    const values = scores[byId("by").value], direction = Number(byId("order").value);
    shown = rows.filter(belongs).sort((a, b) => {
      if (Number.isNaN(values[a]) || Number.isNaN(values[b])) return Number.isNaN(values[a]) - Number.isNaN(values[b]);
      return values[a] === values[b] ? 0 : direction * (values[a] < values[b] ? -1 : 1);
    });
    page = Math.min(page, Math.max(0, Math.ceil(shown.length / PER_PAGE) - 1));
    const first = page * PER_PAGE, some = shown.slice(first, first + PER_PAGE);
    byId("tiles").replaceChildren(...some.map(tile));
    byId("place").textContent = shown.length ? `${first + 1} to ${first + some.length} of ${shown.length} images` : "no image";
    byId("previous").disabled = page === 0;
    byId("next").disabled = first + some.length >= shown.length;
  }

  function tile(row) {
    const by = byId("by").value, item = made("li"), button = made("button", undefined, { type: "button" });
    button.dataset.row = row;
    const name = made("span");
    button.append(thumb(row, TILE), name, made("span", text(scores[by][row])));
    item.append(button);
    caption(row, name, button);
    button.addEventListener("mouseenter", () => show(row));
    button.addEventListener("focus", () => show(row));
    button.addEventListener("click", () => {
      show(row);
      byId("right").focus();
    });
    return item;
  }

  function caption(row, name, button) {
    const right = marks.get(data.ids[row]);
    const other = data.predicted[row] !== null && data.predicted[row] !== label(row) ? ` (${data.predicted[row]}?)` : "";
    name.textContent = right ? `${label(row)} → ${right}` : `${label(row)}${other}`;
    name.className = right ? "marked" : "";
    const by = byId("by").value;
    button.setAttribute("aria-label", `${data.ids[row]}, label ${name.textContent}, ${by} ${text(scores[by][row])}`);
    button.setAttribute("aria-current", String(row === current));
  }

  function tileOf(row) {
    return byId("tiles").querySelector(`button[data-row="${row}"]`);
  }

  function show(row) {
    const before = tileOf(current);
    current = row;
    before?.setAttribute("aria-current", "false");
    tileOf(row)?.setAttribute("aria-current", "true");
    const facts = [["id", data.ids[row]], ["label", label(row)]];
    if (data.originals[row] !== data.labels[row]) facts.push(["original label", data.classes[data.originals[row]]]);
    if (data.predicted[row] !== null) facts.push(["predicted", data.predicted[row]]);
    for (const [name, values] of Object.entries(scores)) facts.push([name, text(values[row])]);
    byId("known").replaceChildren(...facts.flatMap(([name, value]) => [made("dt", name), made("dd", value)]));
    byId("large").replaceChildren(thumb(row, LARGE));
    byId("about").classList.add("chosen");
    byId("right").value = marks.get(data.ids[row]) ?? "";
    byId("right").options[0].textContent = `${label(row)}, as it is`;
  }

  function count() {
    byId("save").disabled = byId("forget").disabled = marks.size === 0;
    const images = marks.size === 1 ? "1 image" : `${marks.size} images`;
    byId("marks").textContent =
      `${images} marked. ${kept ? "Marks stay in this browser." : "This browser does not keep marks: save the file before you leave."}`;
  }

  function mark() {
    const id = data.ids[current], right = byId("right").value;
    if (right === "") marks.delete(id);
    else marks.set(id, right);
    keep();
    count();
    const button = tileOf(current);
    if (button) caption(current, button.children[1], button);
  }

  const field = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

  function save() { // the file that labels.file of params.yaml reads
    const lines = [["id", "label"], ...marks].map((cells) => `${cells.map(field).join(",")}\n`);
    const address = URL.createObjectURL(new Blob(lines, { type: "text/csv" }));
    made("a", undefined, { href: address, download: "labels.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  byId("class").append(...data.classes.map((name, number) => made("option", name, { value: String(number) })));
  byId("by").append(...Object.keys(scores).map((name) => made("option", name, { value: name })));
  byId("right").append(made("option", "choose an image", { value: "" }), ...data.classes.map((name) => made("option", name, { value: name })));
  for (const id of ["which", "class", "by", "order"]) byId(id).addEventListener("change", () => { page = 0; list(); });
  byId("previous").addEventListener("click", () => { page -= 1; list(); });
  byId("next").addEventListener("click", () => { page += 1; list(); });
  byId("right").addEventListener("change", mark);
  byId("right").addEventListener("keydown", (event) => { if (event.key === "Escape") tileOf(current)?.focus(); });
  byId("save").addEventListener("click", save);
  byId("forget").addEventListener("click", () => {
    if (!confirm("Forget all marks?")) return;
    marks.clear();
    keep();
    count();
    list();
    if (current >= 0) show(current);
  });
  list();
  count();
}

if (byId("gallery-data")) browse(JSON.parse(byId("gallery-data").textContent));
performance.mark("interactive");
