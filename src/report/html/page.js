// Theme, filter, deep links, names of tests, and the comparison of two environments.
// Text is only set as text content, never as markup.
(() => {
  "use strict";
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const one = (id) => document.getElementById(id);
  const make = (tag, text, name) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (name) element.className = name;
    return element;
  };
  let parsed;
  const data = () => (parsed ??= JSON.parse(one("data").textContent));

  // Theme: automatic, light or dark, stored if the browser allows it.
  const theme = one("theme");
  const themes = ["automatic", "light", "dark"];
  const applyTheme = (name) => {
    const root = document.documentElement;
    if (name === "automatic") delete root.dataset.theme;
    else root.dataset.theme = name;
    theme.textContent = `Theme: ${name}`;
  };
  const storedTheme = (name) => {
    try {
      if (name) localStorage.setItem("carnet-theme", name);
      return localStorage.getItem("carnet-theme");
    } catch {
      return name;
    }
  };
  let selected = themes.includes(storedTheme()) ? storedTheme() : "automatic";
  applyTheme(selected);
  theme.hidden = false;
  theme.addEventListener("click", () => {
    selected = themes[(themes.indexOf(selected) + 1) % themes.length];
    storedTheme(selected);
    applyTheme(selected);
  });

  // The URL fragment is either the id of an element or the settings of the tools.
  const tools = new Set(["filter", "only", "compare"]);
  const settings = () => {
    const [first] = location.hash.slice(1).split("=", 1);
    return tools.has(first) ? new URLSearchParams(location.hash.slice(1)) : new URLSearchParams();
  };
  const storeSettings = (entries) => {
    const text = new URLSearchParams(entries.filter(([, value]) => value)).toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  };

  // Filter.
  const filter = one("filter");
  const words = one("words");
  const cells = all(".cell");
  const hits = all(".hit");
  const rules = all(".rule");
  const toggles = all("[data-only]");
  const chips = all(".chip");
  const rows = all(".matrix tbody tr");
  const texts = new Map();
  const text = (element, parts) => {
    let known = texts.get(element);
    if (known === undefined) {
      known = all(parts, element).map((part) => part.textContent).join(" ").toLowerCase();
      texts.set(element, known);
    }
    return known;
  };
  const applyFilter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const only = new Set(toggles.filter((button) => button.ariaPressed === "true").map((button) => button.dataset.only));
    const fits = (known) => wanted.every((word) => known.includes(word));
    const shown = new Set();
    for (const cell of cells) {
      const parts = ":scope > summary, :scope > .body > .where, .reason, .hint, .tname, .test .why, .evidence dd";
      const fit = (only.size === 0 || only.has(cell.dataset.mark)) && fits(text(cell, parts));
      cell.hidden = !fit;
      if (fit) shown.add(cell.dataset.cell);
    }
    for (const chip of chips) {
      const item = chip.parentElement.tagName === "LI" ? chip.parentElement : chip;
      item.hidden = !shown.has(chip.dataset.cell);
    }
    for (const row of rows) row.hidden = !row.querySelector(".chip:not([hidden])");
    let found = 0;
    for (const hit of hits) {
      hit.hidden = !fits(`${text(hit.closest(".rule"), ":scope > summary")} ${text(hit, "p, pre, li")}`);
      if (!hit.hidden) found += 1;
    }
    for (const rule of rules) rule.hidden = !rule.querySelector(".hit:not([hidden])");
    const active = wanted.length > 0 || only.size > 0;
    const findings = hits.length > 0 && wanted.length > 0 ? `, ${found} of ${hits.length} findings` : "";
    one("found").textContent = active ? `${shown.size} of ${cells.length} cells${findings}` : "";
    for (const none of all(".none")) none.hidden = shown.size > 0 || cells.length === 0;
    return { filter: words.value.trim(), only: Array.from(only).join(",") };
  };
  const updateFilter = () => {
    const set = applyFilter();
    storeSettings([["filter", set.filter], ["only", set.only]]);
  };
  const clear = () => {
    words.value = "";
    for (const button of toggles) button.ariaPressed = "false";
    applyFilter();
  };
  if (filter) {
    filter.hidden = false;
    let waiting;
    words.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(updateFilter, 80);
    });
    words.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        clear();
        storeSettings([]);
      }
    });
    for (const button of toggles) {
      button.addEventListener("click", () => {
        button.ariaPressed = String(button.ariaPressed !== "true");
        updateFilter();
      });
    }
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest("input, select, textarea");
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        words.focus();
      }
    });
  }

  // Names of tests, added in portions on request.
  const PORTION = 500;
  const names = (runs) => {
    const found = [];
    for (let at = 0; at < runs.length; at += 2) {
      for (let next = 0; next < runs[at + 1]; next += 1) found.push(data().tests[runs[at] + next]);
    }
    return found;
  };
  const appendList = (parent, lines) => {
    const list = parent.appendChild(make("ul"));
    const more = make("button");
    more.type = "button";
    let shown = 0;
    const next = () => {
      const until = Math.min(shown + PORTION, lines.length);
      for (; shown < until; shown += 1) list.append(make("li", lines[shown], "tname"));
      more.textContent = `${lines.length - shown} more`;
      if (shown === lines.length) more.remove();
    };
    if (lines.length > PORTION) parent.append(more);
    more.addEventListener("click", next);
    next();
  };
  for (const details of all("[data-tests]")) {
    details.hidden = false;
    details.addEventListener("toggle", () => {
      if (!details.open || details.childElementCount > 1) return;
      const cell = data().cells[Number(details.dataset.tests)];
      appendList(details, names(cell.passed).concat(names(cell.skipped).map((name) => `${name} (skipped)`)));
      if (data().is_truncated) details.append(make("p", "Some names are omitted because of the size limit; carnet.json is complete.", "lead"));
    });
  }

  // Comparison of two environments, from their differences from the reference.
  const side = one("side");
  const [left, right, also] = [one("left"), one("right"), one("all")];
  const known = () => data().cells.filter((cell) => cell.environment !== undefined && data().environments[cell.environment].known);
  const facts = (at) => {
    const { rows } = data().environments[at];
    const found = new Map();
    const times = new Map();
    for (let row = 0; row < rows.length; row += 5) {
      const name = `${rows[row]} ${rows[row + 1]}`;
      const time = times.get(name) ?? 0;
      times.set(name, time + 1);
      found.set(`${name} ${time}`, rows.slice(row, row + 5));
    }
    return found;
  };
  const shown = (value, origins) => {
    if (value === "-") return "absent";
    if (value[0] === "?") return `unknown: ${value.slice(1)}`;
    const [text, origin] = value.slice(1).split("\u001f");
    return origins && origin ? `${text} (${origin})` : text;
  };
  const origin = (value) => value.split("\u001f")[1];
  // Only dotted numbers have a certain order.
  const order = (a, b) => {
    const [x, y] = [a, b].map((value) => value.slice(1).split("\u001f")[0]);
    if (x === y) return "different origin";
    if (![x, y].every((version) => /^\d+(\.\d+)+$/.test(version))) return "differs";
    const [m, n] = [x, y].map((version) => version.split(".").map(Number));
    const at = m.findIndex((part, index) => part !== (n[index] ?? 0));
    return at < 0 || m[at] < (n[at] ?? 0) ? "newer" : "older";
  };
  const change = (a, b) => {
    if (a[0] === "?" || b[0] === "?") return "not compared";
    if (a === "-") return "added";
    if (b === "-") return "missing";
    return order(a, b);
  };
  const between = (a, b, everything) => {
    const [first, second] = [facts(a), facts(b)];
    const { values } = data();
    const found = [];
    for (const key of new Set([...first.keys(), ...second.keys()])) {
      const [mine, other] = [first.get(key), second.get(key)];
      const [section, name, weight] = mine ?? other;
      const was = values[mine ? mine[4] : other[3]];
      const is = values[other ? other[4] : mine[3]];
      const same = was === is && was[0] !== "?";
      if (!same && (everything || weight < 2)) found.push({ section, name: values[name], weight, was, is });
    }
    return found.sort((x, y) => x.section - y.section || x.weight - y.weight);
  };
  const table = (found, a, b) => {
    const table = make("table", undefined, "differences");
    const head = table.createTHead().insertRow();
    for (const title of ["item", a, b, "change"]) {
      const cell = make("th", title);
      cell.scope = "col";
      head.append(cell);
    }
    const body = table.createTBody();
    let section;
    for (const { section: at, name, weight, was, is } of found) {
      if (at !== section) {
        section = at;
        const title = make("th", data().sections[at]);
        title.colSpan = 4;
        title.scope = "rowgroup";
        const line = body.insertRow();
        line.className = "title";
        line.append(title);
      }
      const line = body.insertRow();
      if (weight === 0) line.className = "direct";
      const label = make("th", name);
      label.scope = "row";
      line.append(label);
      const origins = was[0] === "=" && is[0] === "=" && origin(was) !== origin(is);
      for (const [title, value] of [[a, shown(was, origins)], [b, shown(is, origins)], ["change", change(was, is)]]) {
        const cell = make("td", value);
        cell.dataset.label = title;
        line.append(cell);
      }
    }
    return table;
  };
  const compare = () => {
    const [a, b] = [left, right].map((select) => known()[select.selectedIndex]);
    const found = between(a.environment, b.environment, also.checked);
    const same = a.environment === b.environment ? "same environment" : "no differences";
    const scope = also.checked ? "" : " in items that the analysis uses";
    one("differing").textContent = found.length === 0 ? `${same}${scope}` : `${found.length} ${found.length === 1 ? "difference" : "differences"}${scope}`;
    one("sides").replaceChildren(...(found.length > 0 ? [table(found, a.id, b.id)] : []));
    return [a.id, b.id];
  };
  const choose = (a, b) => {
    const ids = known().map((cell) => cell.id);
    if (!ids.includes(a) || !ids.includes(b)) return false;
    left.selectedIndex = ids.indexOf(a);
    right.selectedIndex = ids.indexOf(b);
    compare();
    return true;
  };
  if (side && known().length > 1) {
    side.hidden = false;
    for (const select of [left, right]) select.append(...known().map((cell) => new Option(cell.id)));
    const reference = data().environments.findIndex((environment) => environment.known && environment.rows.length === 0);
    left.selectedIndex = Math.max(0, known().findIndex((cell) => cell.environment === reference));
    right.selectedIndex = known().findIndex((cell) => cell.environment !== known()[left.selectedIndex].environment);
    if (right.selectedIndex < 0) right.selectedIndex = 0;
    for (const control of [left, right, also]) {
      control.addEventListener("change", () => storeSettings([["compare", compare().join("\n")]]));
    }
    side.addEventListener("submit", (event) => event.preventDefault());
    compare();
    const start = known()[left.selectedIndex].id;
    for (const button of all("[data-compare]")) {
      const { id } = data().cells[Number(button.dataset.compare)];
      button.hidden = !known().some((cell) => cell.id === id);
      button.addEventListener("click", () => {
        choose(start, id);
        storeSettings([["compare", `${start}\n${id}`]]);
        side.scrollIntoView();
        right.focus({ preventScroll: true });
      });
    }
  }

  // Deep links: open the parents of the element and focus it.
  const follow = () => {
    const set = settings();
    if (filter && (set.has("filter") || set.has("only"))) {
      words.value = set.get("filter") ?? "";
      const only = (set.get("only") ?? "").split(",");
      for (const button of toggles) button.ariaPressed = String(only.includes(button.dataset.only));
      applyFilter();
    }
    if (side && set.has("compare") && choose(...set.get("compare").split("\n"))) side.scrollIntoView();
    const target = one(location.hash.slice(1));
    if (!target || target.tagName === "SECTION") return;
    if (filter && target.closest("[hidden]")) clear();
    for (let holder = target.closest("details"); holder; holder = holder.parentElement.closest("details")) holder.open = true;
    const line = target.parentElement.matches("details") ? target.parentElement : target;
    line.scrollIntoView();
    target.focus({ preventScroll: true });
  };
  window.addEventListener("hashchange", follow);
  for (const link of all('a[href^="#"]')) {
    // A second click on the same link does not change the URL, but the cell may have been closed.
    link.addEventListener("click", () => {
      if (link.hash === location.hash) setTimeout(follow);
    });
  }
  follow();

  // Open failed cells for printing.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = all(".cell.is-failed:not([open]), .cell.is-error:not([open])");
    for (const cell of opened) cell.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const cell of opened) cell.open = false;
  });
})();
