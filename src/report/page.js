"use strict";
// Tables are searched and sorted here, a thousand rows at most each; without this script everything can be read all the same.
(() => {
  const make = (tag, props) => Object.assign(document.createElement(tag), props);
  const number = (cell) => Number.parseFloat(cell.textContent.replaceAll(",", ""));

  // The text of each row, in lower case, made when it is first asked for.
  const texts = new WeakMap();
  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, [...row.cells].map((cell) => cell.textContent).join("\n").toLowerCase());
    return texts.get(row);
  };

  const search = (rows, box, told) => {
    const wanted = box.value.trim().toLowerCase();
    let found = 0;
    for (const row of rows) {
      const hides = wanted !== "" && !textOf(row).includes(wanted);
      if (row.hidden !== hides) row.hidden = hides;
      if (!hides) found += 1;
    }
    told.textContent = wanted === "" ? "" : `${found.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown rows`;
  };

  const sort = (table, rows, heads, at) => {
    const head = heads[at];
    const descends = head.getAttribute("aria-sort") === "ascending";
    const isNumber = head.classList.contains("n");
    const key = (row) => (isNumber ? number(row.cells[at]) : row.cells[at].textContent);
    const keyed = rows.map((row) => ({ row, key: key(row) }));
    const compare = isNumber ? (a, b) => a - b : new Intl.Collator("en", { numeric: true }).compare;
    // What is empty comes last, either way.
    const isEmpty = (value) => (isNumber ? Number.isNaN(value) : value === "");
    keyed.sort((one, other) => {
      if (isEmpty(one.key) || isEmpty(other.key)) return isEmpty(one.key) - isEmpty(other.key);
      return descends ? compare(other.key, one.key) : compare(one.key, other.key);
    });
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", descends ? "descending" : "ascending");
    table.tBodies[0].replaceChildren(...keyed.map((entry) => entry.row));
  };

  for (const table of document.querySelectorAll("table.live")) {
    const rows = [...table.tBodies[0].rows];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, at) => {
      const button = make("button", { type: "button", textContent: head.textContent });
      button.addEventListener("click", () => sort(table, rows, heads, at));
      head.replaceChildren(button);
    });
    const scroll = table.parentElement;
    const id = `find-${scroll.parentElement.id}`;
    const label = make("label", { htmlFor: id, textContent: "Search these rows" });
    const box = make("input", { type: "search", id, autocomplete: "off", spellcheck: false });
    const told = make("span", { className: "note" });
    told.setAttribute("role", "status");
    box.addEventListener("input", () => search(rows, box, told));
    const find = make("div", { className: "find" });
    find.append(label, box, told);
    scroll.before(find);
  }

  // A link to a table opens it.
  const open = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  addEventListener("hashchange", open);
  open();
})();
