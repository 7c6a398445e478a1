// Opens every page of WORK/job as people would, and holds it to what a page has to be: browse.mjs WORK [NAME...]
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { launch } from "./launch.mjs";

const [work, ...wanted] = process.argv.slice(2);
const axe = readFileSync(join(work, "node_modules/axe-core/axe.min.js"), "utf8");
const BYTES_MAX = 2_000_000;
const VIEWS = [
  { width: 1280, colorScheme: "light" },
  { width: 1280, colorScheme: "dark" },
  { width: 390, colorScheme: "light" },
  { width: 390, colorScheme: "dark" },
];
// What each page says of where its plan stands.
const BADGES = {
  "at-work": "AT WORK", "cut-off": "CUT OFF", "rolled-back": "ROLLED BACK", resumed: "DONE", "zero-run": "DONE",
  "zero-plan": "DRY RUN", "ten-plan": "DRY RUN", "many-plan": "DRY RUN",
};
const failures = [];
const context = await launch(work);
const plain = await launch(work, { javaScriptEnabled: false });

const check = (page, what, holds, told = "") => {
  if (!holds) failures.push(`${page}: ${what}${told === "" ? "" : `: ${told}`}`);
};

// A tab that notes whatever a page says or asks for.
const open = async (name, view, javaScript = true) => {
  const heard = [];
  const tab = await (javaScript ? context : plain).newPage();
  const url = `file://${join(work, "job", `${name}.html`)}`;
  tab.on("console", (message) => heard.push(`console ${message.type()}: ${message.text()}`));
  tab.on("pageerror", (error) => heard.push(`error: ${error.message}`));
  tab.on("request", (request) => request.url() !== url && heard.push(`request: ${request.url()}`));
  tab.on("dialog", (dialog) => {
    heard.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  await tab.setViewportSize({ width: view.width, height: 900 });
  await tab.emulateMedia({ colorScheme: view.colorScheme });
  await tab.goto(url);
  return { tab, heard };
};

const overflows = (tab) => tab.evaluate(() => {
  const wide = document.documentElement.scrollWidth - innerWidth;
  const out = [...document.querySelectorAll("body *")].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.right > innerWidth + 1 && !element.closest(".scroll, svg, code.command");
  });
  return wide > 0 || out.length > 0 ? `${wide} px, ${out.slice(0, 3).map((e) => e.outerHTML.slice(0, 80)).join(" | ")}` : "";
});

const violations = async (tab) => {
  await tab.evaluate(axe);
  const found = await tab.evaluate(() =>
    globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
  return found.violations.map((v) => `${v.id} (${v.nodes.length}): ${v.nodes[0].html.slice(0, 120)}`).join("; ");
};

// The contrast of words and marks in drawings, which axe does not look at.
const faint = (tab) => tab.evaluate(() => {
  const parse = (text) => text.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const part = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const ratio = (one, other) => {
    const [a, b] = [light(one), light(other)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const back = parse(getComputedStyle(document.body).backgroundColor);
  const words = [...document.querySelectorAll("svg text")].map((text) => parse(getComputedStyle(text).fill));
  return Math.min(21, ...words.map((fill) => ratio(fill, back)));
});

// Search and sort of the largest table: that they are right, and how much they do to the page.
const searchAndSort = async (name, tab) => {
  const found = await tab.evaluate(() => {
    const tables = [...document.querySelectorAll("table.live")];
    const table = tables.sort((a, b) => b.tBodies[0].rows.length - a.tBodies[0].rows.length)[0];
    if (!table) return null;
    table.closest("details").open = true;
    const rows = [...table.tBodies[0].rows];
    const shown = () => [...table.tBodies[0].rows].filter((row) => !row.hidden);
    let changes = 0;
    const watch = new MutationObserver((all) => { changes += all.length; });
    watch.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    const count = () => { changes += watch.takeRecords().length; const n = changes; changes = 0; return n; };
    const box = table.closest("details").querySelector("input[type=search]");
    const type = (text) => { box.value = text; box.dispatchEvent(new Event("input")); };
    const wanted = rows[rows.length - 1].cells[2].textContent.slice(0, 12).toUpperCase();
    const expected = rows.filter((row) => row.innerText.toUpperCase().includes(wanted)).length;
    type(wanted);
    const hits = { n: shown().length, expected, changes: count() };
    type("nobody has this text");
    const none = shown().length;
    type("");
    const all = shown().length;
    count();
    const number = (row, at) => Number(row.cells[at].textContent.replaceAll(",", ""));
    const heads = [...table.tHead.rows[0].cells];
    const sorted = heads.map((head, at) => {
      const button = head.querySelector("button");
      const order = () => [...table.tBodies[0].rows].map((row) => row.cells[at].textContent);
      button.click();
      const up = [order(), head.getAttribute("aria-sort")];
      button.click();
      const down = [order(), head.getAttribute("aria-sort")];
      const isNumber = head.classList.contains("n");
      const values = (cells) => cells.filter((cell) => cell !== "").map((cell) => (isNumber ? Number(cell.replaceAll(",", "")) : cell));
      const compare = isNumber ? (a, b) => a - b : new Intl.Collator("en", { numeric: true }).compare;
      const rises = (cells) => values(cells).every((value, i, all) => i === 0 || compare(all[i - 1], value) <= 0);
      const falls = (cells) => values(cells).every((value, i, all) => i === 0 || compare(all[i - 1], value) >= 0);
      return rises(up[0]) && falls(down[0]) && up[1] === "ascending" && down[1] === "descending" ? "" : head.textContent;
    });
    return { n: rows.length, hits, none, all, wrong: sorted.filter((text) => text !== ""), n_sorts: heads.length * 2, changes: count(), ten: number(rows[0], 0) };
  });
  if (!found) return;
  check(name, "the search finds other rows than hold the text", found.hits.n === found.hits.expected && found.hits.n > 0, JSON.stringify(found.hits));
  check(name, "the search for nothing shows something", found.none === 0 && found.all === found.n);
  check(name, "columns are not sorted", found.wrong.length === 0, found.wrong.join(", "));
  check(name, "a search touches more than its rows", found.hits.changes <= found.n + 5, `${found.hits.changes} changes for ${found.n} rows`);
  // Every row leaves once, all come in one step, and two attributes of heads change.
  check(name, "a sort touches more than it has to", found.changes <= found.n_sorts * (found.n + 5), `${found.changes} for ${found.n_sorts} sorts of ${found.n} rows`);
};

const look = async (name, view) => {
  const { tab, heard } = await open(name, view);
  const which = `${name} ${view.width} ${view.colorScheme}`;
  const isLarge = name.startsWith("many");
  check(which, "axe", ...(await violations(tab).then((told) => [told === "", told])));
  await tab.screenshot({ path: join(work, "pictures", `${name}-${view.width}-${view.colorScheme}.png`), fullPage: true });
  await tab.evaluate((isLarge) => {
    const all = [...document.querySelectorAll("details")];
    for (const details of isLarge ? all.slice(0, 3) : all) details.open = true;
  }, isLarge);
  if (!isLarge) check(which, "axe, all open", ...(await violations(tab).then((told) => [told === "", told])));
  const evil = await tab.evaluate(() => ({
    images: document.images.length + document.querySelectorAll("iframe, object, embed, link").length,
    scripts: document.scripts.length,
    shown: document.body.textContent.includes('</script><img src=x onerror="document.title=1">'),
    handlers: [...document.querySelectorAll("*")].filter((e) => [...e.attributes].some((a) => a.name.startsWith("on"))).length,
    turned: [...document.querySelectorAll("td")].filter((e) => /[\u202a-\u202e\u2066-\u2069]/.test(e.textContent) && !e.querySelector("bdi")).length,
  }));
  check(which, "a cell became markup", evil.images + evil.handlers + evil.turned === 0 && evil.scripts === 1, JSON.stringify(evil));
  if (name === "many-run") check(which, "a cell that looks like markup is not shown", evil.shown);
  const wide = await overflows(tab);
  check(which, "wider than the window", wide === "", wide);
  const contrast = await faint(tab);
  check(which, "words in drawings are faint", contrast >= 4.5, contrast);
  if (!isLarge) await tab.screenshot({ path: join(work, "pictures", `${name}-${view.width}-${view.colorScheme}-open.png`), fullPage: true });
  if (view.width === 1280 && view.colorScheme === "light") await searchAndSort(name, tab);
  check(which, "says or asks for something", heard.length === 0, heard.slice(0, 3).join("; "));
  await tab.close();
};

// Without scripts: both sums are there, and every row that is there with them.
const withoutScript = async (name) => {
  const { tab, heard } = await open(name, VIEWS[0], false);
  const text = await tab.locator("header").innerText();
  check(name, "says something else of where it stands", text.includes(BADGES[name] ?? ""), text.slice(0, 60));
  check(name, "no sums without scripts", /rows =/.test(text), text.slice(0, 200));
  const n = await tab.locator("thead button, input").count();
  check(name, "buttons without scripts", n === 0, n);
  check(name, "says something without scripts", heard.length === 0, heard[0]);
  await tab.close();
};

// On paper: light, no boxes to search in, and not endless.
const onPaper = async (name) => {
  const { tab } = await open(name, VIEWS[1]);
  await tab.emulateMedia({ media: "print", colorScheme: "dark" });
  const looks = await tab.evaluate(() => ({
    back: getComputedStyle(document.documentElement).getPropertyValue("--bg").trim(),
    boxes: [...document.querySelectorAll(".find, nav")].filter((e) => e.offsetParent !== null).length,
  }));
  check(name, "not light on paper", looks.back === "#fff", looks.back);
  check(name, "search boxes on paper", looks.boxes === 0, looks.boxes);
  await tab.emulateMedia({ media: null });
  const pdf = await tab.pdf({ format: "A4", path: join(work, "pictures", `${name}.pdf`) });
  const n_pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
  check(name, "no paper, or too much of it", n_pages > 0 && n_pages <= 40, `${n_pages} pages`);
  check(name, "a large file on paper", pdf.length < 4_000_000, pdf.length);
  await tab.close();
};

// What a masked page must not hold: the local part of any address, and any name, of roster or organisation.
const masked = (name, rows) => {
  const text = readFileSync(join(work, "job", `${name}.html`), "utf8").toLowerCase();
  const people = ["hr.csv", "org.csv"].map((file) => readFileSync(join(work, "job", rows, file), "utf8").replace(/^.*/, "")).join("\n");
  const locals = new Set(people.toLowerCase().match(/[a-z0-9.+_-]+(?=@)/g).filter((local) => /[.+]/.test(local)));
  const names = new Set(people.toLowerCase().match(/^[a-z]+ [a-z]+(?=,)/gm));
  // What stands before an @, however that is written, is a number; and no name and no local part stands anywhere else.
  const plain = text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code)).replaceAll("%40", "@");
  const shown = [...new Set(plain.match(/[^\s<>"';:,()]+(?=@)/g))].filter((local) => !/^p\d{4,}$/.test(local));
  check(name, "shows addresses", shown.length === 0, shown.slice(0, 5).join(", "));
  const some = [...locals].filter((_, at) => at % 100 === 0);
  const seen = [...some, ...names].filter((word) => plain.includes(word));
  check(name, "shows people", seen.length === 0, seen.slice(0, 5).join(", "));
  check(name, "does not say that it is masked", /<title>masked/.test(text));
};

const names = readdirSync(join(work, "job")).filter((file) => file.endsWith(".html")).map((file) => file.slice(0, -5)).sort();
check("all", "pages are missing", names.length >= 11, names.join(", "));
for (const name of names.filter((name) => wanted.length === 0 || wanted.includes(name))) {
  const { size } = statSync(join(work, "job", `${name}.html`));
  check(name, "too large", size < BYTES_MAX, size);
  for (const view of VIEWS) await look(name, view);
  await withoutScript(name);
  await onPaper(name);
  console.log(`  ${name}: ${size.toLocaleString("en")} bytes`);
}
masked("many-masked", "50000");
await Promise.all([context.close(), plain.close()]);
if (failures.length > 0) {
  console.error(failures.map((failure) => `  ${failure}`).join("\n"));
  process.exit(1);
}
