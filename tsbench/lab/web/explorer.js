// SeriesExplorer: companies to search and filter on the left, the series of those that are picked on the right.

const SCALES = { values: "in units", log: "log", index100: "start = 100", zscore: "z-score" };
const MOST = { symbols: 8, channels: 6 };
const FUNCTIONS = ["ttm(x)", "yoy(ttm(x))", "log(ttm(x))", "change(x, 4)", "volatility(x, 8)", "minus_median(x, sector)", "rank_in(x, sector)"];

class Explorer {
  constructor(model, el) {
    this.model = model;
    this.el = el;
    el.resting = () => (model.get("shown").serial ?? 0) === model.get("asked").serial;
    el.classList.add("tsb-widget", "tsb-explorer");
    // The notebook around would take arrows and Enter for its own.
    el.addEventListener("keydown", (event) => event.stopPropagation());
    this.build(el);
    this.showAsked();
    this.show();
    this.heard = { "change:shown": () => this.show(), "change:asked": () => this.showAsked(), "change:status": () => this.showTrouble() };
    for (const [event, listen] of Object.entries(this.heard)) model.on(event, listen);
    this.watched = new ResizeObserver(() => this.fit());
    this.watched.observe(this.lanes);
  }

  close() {
    for (const [event, listen] of Object.entries(this.heard)) this.model.off(event, listen);
    this.watched.disconnect();
    cancelAnimationFrame(this.frame);
  }

  /** Draws anew where the place has become wider or narrower. */
  fit() {
    const width = Math.max(Math.round(this.lanes.clientWidth), LEAST);
    if (width === this.width || !this.lanes.clientWidth) return;
    this.width = width;
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.showChart(this.model.get("shown")));
  }

  build(el) {
    const asks = (name) => (event) => this.ask({ [name]: event.target.value });
    this.search = make("input", { type: "search", "aria-label": "search companies", placeholder: "company, symbol or sector …", oninput: asks("search"),
      onkeydown: (event) => this.pickFirst(event) });
    this.query = make("input", { class: "tsb-expression", "aria-label": "filter", spellcheck: "false",
      placeholder: `filter: live and ${(this.model.get("shown").metrics ?? [])[0] ?? "value"} > 0`, onchange: asks("query") });
    this.watchlist = make("select", { "aria-label": "watchlist", onchange: asks("watchlist") });
    this.listName = make("input", { "aria-label": "name of the watchlist", placeholder: "name", class: "tsb-list-name" });
    this.keep = make("button", { title: "keep the companies drawn as a watchlist of this name", onclick: () => this.keepList() }, "keep");
    this.forget = make("button", { title: "forget this watchlist", onclick: () => this.model.send({ do: "forget", name: this.model.get("asked").watchlist }) }, "forget");
    this.funnel = make("div", { class: "tsb-funnel" });
    this.count = make("div", { class: "tsb-hint", role: "status" });
    this.trouble = make("div", { class: "tsb-failed", role: "alert" });
    this.listTrouble = make("div", { class: "tsb-failed", role: "alert" });
    this.list = make("div", { class: "tsb-list", role: "group", "aria-label": "companies" });
    this.scales = segments(SCALES, (scale) => this.ask({ scale }));
    this.legend = make("div", { class: "tsb-legend" });
    this.lanes = make("div", {});
    this.addition = make("input", { class: "tsb-expression tsb-add", "aria-label": "one more channel", placeholder: "+ metric or expression", spellcheck: "false",
      onchange: () => this.addChannel() });
    this.hints = make("datalist", { id: `tsb-hints-${Math.random().toString(36).slice(2)}` });
    this.addition.setAttribute("list", this.hints.id);
    this.line = make("code", {});
    const copy = make("button", { title: "copy this line of Python", onclick: () => navigator.clipboard?.writeText(this.line.textContent) }, "copy");
    this.watch = make("div", { class: "tsb-row" }, this.watchlist, this.forget, this.listName, this.keep);
    el.append(
      make("section", { "data-lm-suppress-shortcuts": "true" }, make("div", { class: "tsb-row" }, this.search), make("div", { class: "tsb-row" }, this.query),
        this.listTrouble, this.watch, this.funnel, this.count, this.list),
      make("section", { class: "tsb-series", "data-lm-suppress-shortcuts": "true" }, make("div", { class: "tsb-row" }, this.scales.node, this.addition, this.hints),
        this.trouble, this.legend, this.lanes, make("div", { class: "tsb-row tsb-export" }, this.line, copy)),
    );
  }

  ask(news) {
    const asked = this.model.get("asked");
    this.model.set("asked", { ...asked, ...news, serial: asked.serial + 1 });
    this.model.save_changes();
    this.showAsked();
  }

  toggle(symbol) {
    const { symbols } = this.model.get("asked");
    const rest = symbols.filter((other) => other !== symbol);
    if (rest.length === symbols.length) rest.push(symbol);
    // the newest stay, as many as can be told apart; never none
    if (rest.length) this.ask({ symbols: rest.slice(-MOST.symbols) });
  }

  pickFirst(event) {
    // the answer to what was typed last may still be on its way
    if (event.key === "Enter") { this.entered = true; this.takeFirst(); }
    if (event.key === "ArrowDown") this.list.querySelector("button")?.focus();
  }

  /** Enter in the search: the first company found is set beside the others. */
  takeFirst() {
    const shown = this.model.get("shown");
    if (!this.entered || (shown.serial ?? 0) < this.model.get("asked").serial) return;
    this.entered = false;
    const [first] = shown.companies ?? [];
    if (first && !this.model.get("asked").symbols.includes(first.symbol)) this.toggle(first.symbol);
  }

  addChannel() {
    const [text, { channels }] = [this.addition.value.trim(), this.model.get("asked")];
    this.added = text;
    if (text && !channels.includes(text)) this.ask({ channels: [...channels, text].slice(-MOST.channels) });
  }

  rename(place, input) {
    const channels = [...this.model.get("asked").channels];
    const text = input.value.trim();
    if (!text || channels.includes(text)) { input.value = channels[place]; return; }
    channels[place] = text;
    this.ask({ channels });
  }

  keepList() {
    const name = this.listName.value.trim();
    if (!name) { this.listName.focus(); return; }
    this.model.send({ do: "keep", name });
    this.listName.value = "";
  }

  /** The controls, as they were set. */
  showAsked() {
    const asked = this.model.get("asked");
    for (const name of ["search", "query"]) {
      if (this[name].getRootNode().activeElement !== this[name]) this[name].value = asked[name];
    }
    this.watchlist.value = asked.watchlist;
    this.forget.disabled = !asked.watchlist;
    this.scales.show(asked.scale);
    for (const button of this.list.children) button.setAttribute("aria-pressed", asked.symbols.includes(button.dataset.symbol));
  }

  show() {
    const shown = this.model.get("shown");
    this.watch.hidden = !shown.store;
    this.watchlist.replaceChildren(make("option", { value: "" }, "all companies"), ...(shown.watchlists ?? []).map((name) => make("option", { value: name }, name)));
    this.hints.replaceChildren(...[...(shown.metrics ?? []), ...(shown.metrics ?? []).slice(0, 1).flatMap((metric) =>
      FUNCTIONS.map((text) => text.replace("x", metric)))].map((value) => make("option", { value })));
    this.showFunnel(shown.funnel ?? []);
    this.showList(shown);
    // Unchanged lanes stay, and with them what is being typed there.
    const drawn = JSON.stringify([shown.chart, shown.facts]);
    if (drawn !== this.drawn) this.showChart(shown);
    this.drawn = drawn;
    if (this.addition.value.trim() === this.added && (shown.chart?.lanes ?? []).some((lane) => lane.expression === this.added)) this.addition.value = "";
    this.line.textContent = shown.line ?? "";
    this.showTrouble();
    this.showAsked();
    this.takeFirst();
  }

  showTrouble() {
    const { list, chart } = this.model.get("shown").troubles ?? {};
    const { failed, text } = this.model.get("status");
    this.trouble.textContent = [chart, failed ? text : ""].filter(Boolean).join(" · ");
    this.listTrouble.textContent = list ?? "";
    this.query.classList.toggle("tsb-wrong", Boolean(list));
    for (const part of [this.funnel, this.count, this.list]) part.classList.toggle("tsb-stale", Boolean(list));
    this.lanes.classList.toggle("tsb-stale", Boolean(chart));
  }

  showFunnel(stages) {
    const all = stages[0]?.companies || 1;
    this.funnel.replaceChildren(...(stages.length > 1 ? stages : []).map((stage) => make(
      "div", { class: "tsb-stage", title: stage.note },
      make("span", { class: "tsb-stage-name" }, stage.stage),
      make("span", { class: "tsb-bar" }, make("i", { style: `width:${(100 * (stage.companies - stage.dead)) / all}%` }), make("b", { style: `width:${(100 * stage.dead) / all}%` })),
      make("span", { class: "tsb-hint" }, stage.dropped ? `${stage.companies} left; ${stage.dropped} dropped, ${stage.dead_dropped} of those dead` : `${stage.companies}, ${stage.dead} of them dead`),
    )));
  }

  showList(shown) {
    const rows = shown.companies ?? [];
    const place = [...this.list.children].indexOf(this.list.getRootNode().activeElement);
    this.count.textContent = rows.length < (shown.found ?? 0) ? `the first ${rows.length} of ${shown.found.toLocaleString("en")} companies` : `${rows.length} companies`;
    const move = (event) => {
      const to = { ArrowDown: event.target.nextSibling, ArrowUp: event.target.previousSibling ?? this.search }[event.key];
      if (to) { event.preventDefault(); to.focus(); }
    };
    this.list.replaceChildren(...rows.map((row) => make(
      "button", { "data-symbol": row.symbol, onclick: () => this.toggle(row.symbol), onkeydown: move,
        title: [row.name, row.sector, row.until && `reported until ${row.until}`, row.doubtful && `${row.doubtful} doubtful value${row.doubtful > 1 ? "s" : ""}`].filter(Boolean).join("\n") },
      make("b", {}, row.symbol), make("span", {}, row.name), make("small", {}, row.until ? `† ${row.until.slice(0, 4)}` : ""))));
    if (place >= 0) this.list.children[Math.min(place, rows.length - 1)]?.focus();
  }

  showChart(shown) {
    // a control that had the focus keeps it
    const focused = this.el.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
    CHART.width = this.width ?? CHART.width;
    const { lanes = [], years = [] } = shown.chart ?? {};
    const facts = shown.facts ?? [];
    const colour = Object.fromEntries(facts.map((fact, i) => [fact.symbol, i]));
    this.legend.replaceChildren(...facts.map((fact, i) => make(
      "div", { class: "tsb-fact", style: `border-color:${COLOURS[i % COLOURS.length]}` },
      make("div", {}, make("b", {}, fact.name), ` ${fact.symbol} `, facts.length > 1 ? make("button", { title: `take ${fact.symbol} off`, onclick: () => this.toggle(fact.symbol) }, "×") : null),
      make("div", { class: "tsb-hint" }, [fact.sector, fact.until && `until ${fact.until}`, fact.doubtful && `${fact.doubtful} doubtful value${fact.doubtful > 1 ? "s" : ""}`].filter(Boolean).join(" · ")),
      ...fact.channels.map((one) => make("div", { class: "tsb-when" }, `${one.title}: ${one.latest}${one.category ? `, ${one.category.toLowerCase()}` : ""}`)))));
    const drawn = lanes.map((lane, place) => {
      const told = make("output", { class: "tsb-reading" });
      const input = make("input", { class: "tsb-expression", "aria-label": `channel ${place + 1}`, spellcheck: "false", onchange: () => this.rename(place, input) });
      input.value = lane.expression;
      const remove = lanes.length > 1 ? make("button", { title: "remove this channel", "aria-label": `remove channel ${place + 1}`, onclick: () => this.ask({ channels: this.model.get("asked").channels.filter((_, i) => i !== place) }) }, "×") : null;
      lane.lines.forEach((line) => { line.colour = colour[line.symbol]; });
      const notes = [lane.title !== lane.expression && lane.title, lane.omitted && `${lane.omitted.toLocaleString("en")} values cannot be shown on this scale`,
        lane.shown < lane.values && `drawn from ${lane.shown.toLocaleString("en")} of ${lane.values.toLocaleString("en")} values`].filter(Boolean).join(" · ");
      const { svg, point } = laneChart(lane, years, (x) => drawn.forEach((one) => one.read(x)));
      const read = (x) => { point(x); told.replaceChildren(...(x === null ? [] : reading(lane, x))); };
      return { read, nodes: [make("div", { class: "tsb-row" }, input, remove, make("span", { class: "tsb-hint" }, notes)), told, make("div", { class: "tsb-graph" }, svg)] };
    });
    this.lanes.replaceChildren(...drawn.flatMap((one) => one.nodes));
    if (focused && document.activeElement === document.body) this.el.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
  }
}

export default {
  render({ model, el }) {
    const explorer = new Explorer(model, el);
    return () => explorer.close();
  },
};
