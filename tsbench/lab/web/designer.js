// PatternDesigner: the board. Every move is told to the kernel at once; the newest drawing is the one that is answered.

const MOST_STEPS = 100;
const MOST_TIMES = 1000;
// A search of so many milliseconds is slow: what is asked behind it would wait longer than it takes.
const SLOW = 30;
// Milliseconds after which an answer is no longer waited for.
const PATIENCE = 2000;

class Board {
  constructor(model, el) {
    this.model = model;
    this.spec = structuredClone(model.get("spec"));
    this.where = model.get("where");
    this.past = [];
    this.future = [];
    this.serial = 0;
    this.asked = new Map();
    // For whoever measures: milliseconds from each move to the cards it changed, and whether all moves are answered.
    el.latencies = this.latencies = [];
    el.resting = () => this.frame === undefined && !this.untold && this.asked.size === 0;
    el.classList.add("tsb-widget", "tsb-designer");
    // The notebook around would take arrows and Enter for its own.
    el.addEventListener("keydown", (event) => event.stopPropagation());
    this.build(el);
    this.show();
    this.showFound();
    this.actions.show(model.get("status"));
    this.heard = {
      "change:found": () => this.showFound(), "change:status": () => this.actions.show(model.get("status")),
      "change:spec": () => this.follow(), "change:where": () => this.follow(), "change:choices": () => this.showPresets(),
    };
    for (const [event, listen] of Object.entries(this.heard)) model.on(event, listen);
  }

  close() {
    for (const [event, listen] of Object.entries(this.heard)) this.model.off(event, listen);
    cancelAnimationFrame(this.frame);
  }

  build(el) {
    const { store } = this.model.get("choices");
    this.name = make("input", { class: "tsb-name", "aria-label": "name of the pattern", spellcheck: "false",
      pattern: "[A-Za-z0-9_\\-]+", onchange: () => this.name.reportValidity() && this.change({ name: this.name.value }) });
    this.presets = make("span", {});
    this.showPresets();
    this.lanes = make("div", { class: "tsb-lanes" });
    this.undo = make("button", { title: "undo (Ctrl+Z)", onclick: () => this.back(this.past, this.future) }, "↶");
    this.redo = make("button", { title: "redo (Ctrl+Y)", onclick: () => this.back(this.future, this.past) }, "↷");
    this.mode = segments({ corners: "corners", stroke: "draw" }, (mode) => { this.drawing = mode; this.show(); });
    this.snap = make("input", { type: "checkbox", onchange: () => this.show() });
    this.drawing = "corners";
    this.shortest = number("shortest, in periods", [4, 10000], (value) => this.change({ length: [value, Math.max(value, this.spec.length[1])] }));
    this.longest = number("longest, in periods", [4, 10000], (value) => this.change({ length: [Math.min(value, this.spec.length[0]), value] }));
    const tolerance = (name, hint, range) => slider(name, hint, range, (value, settled) => this.change({ [name]: value }, settled));
    this.sliders = {
      prominence: tolerance("prominence", "lowest height, in one-step noise times the root of the length", [0, 8, 0.25]),
      warp: tolerance("warp", "tolerance in time of the copies a judge is trained on", [0, 1, 0.05]),
      jitter: tolerance("jitter", "tolerance in height of the copies a judge is trained on", [0, 0.5, 0.02]),
    };
    this.polarity = select("polarity", POLARITIES, (polarity) => this.change({ polarity }));
    this.conditions = make("div", {});
    this.wheres = segments(WHERES, (where) => { this.where = where; this.wheres.show(where); this.tell(true); });
    this.headline = make("div", { class: "tsb-headline" });
    this.cards = make("div", { class: "tsb-cards", role: "list", "data-lm-suppress-shortcuts": "true" });
    this.actions = actions((verb) => this.model.send({ do: verb }), store);
    el.append(
      make("section", { class: "tsb-board", "data-lm-suppress-shortcuts": "true", onkeydown: (event) => this.key(event) },
        make("div", { class: "tsb-row" }, this.name, this.presets),
        this.lanes,
        make("div", { class: "tsb-row" }, this.undo, this.redo, this.mode.node, make("label", {}, this.snap, " snap"),
          make("button", { title: "upside down", onclick: () => this.flip() }, "flip")),
        field("periods", make("span", {}, this.shortest, " to ", this.longest), "shortest and longest stretch"),
        ...Object.values(this.sliders).map((one) => one.node), field("polarity", this.polarity), this.conditions,
        this.actions.node),
      make("section", { class: "tsb-answer" },
        make("div", { class: "tsb-row" }, this.wheres.node, this.headline),
        make("div", { class: "tsb-hint" }, "Exploration: something is always nearest. Keys on a card: a accept, r reject, u unsure, p as pattern."),
        this.cards),
    );
  }

  showPresets() {
    this.presets.replaceChildren(presets(this.model.get("choices").presets, (name) => this.model.send({ do: "preset", name })));
  }

  /** The whole board from `spec`. */
  show() {
    const { spec } = this;
    this.name.value = spec.name;
    [this.shortest.value, this.longest.value] = spec.length;
    for (const [name, one] of Object.entries(this.sliders)) one.show(spec[name]);
    this.polarity.value = spec.polarity;
    this.wheres.show(this.where);
    this.mode.show(this.drawing);
    this.undo.disabled = !this.past.length;
    this.redo.disabled = !this.future.length;
    const stated = JSON.stringify([spec.constraints, spec.channels.map((channel) => channel.expression)]);
    if (stated !== this.stated) {
      this.conditions.replaceChildren(conditions(spec, this.model.get("choices").kinds, (constraints, shown) => {
        if (shown) this.stated = JSON.stringify([constraints, this.spec.channels.map((channel) => channel.expression)]);
        this.change({ constraints });
      }));
    }
    this.stated = stated;
    const expressions = JSON.stringify([this.linked, spec.combine, ...spec.channels.map((channel) => [channel.expression, channel.points.length > 0])]);
    if (expressions !== this.expressions) this.rebuild();
    this.expressions = expressions;
    this.drawn.forEach((lane, k) => {
      if (!lane) return;
      lane.mode = this.drawing;
      lane.snap = this.snap.checked;
      if (JSON.stringify(lane.points) !== JSON.stringify(spec.channels[k].points)) lane.draw(scaledCorners(spec.channels[k].points));
    });
  }

  /** Whether alternatives share one drawing, which is then shown once. */
  get linked() {
    const { channels, combine } = this.spec;
    const shape = (channel) => JSON.stringify(scaledCorners(channel.points));
    return combine === "any" && channels.length > 1 && !this.apart && channels.every((one) => shape(one) === shape(channels[0]));
  }

  /** Lanes anew: a channel came, went, or has another expression. */
  rebuild() {
    const { spec, linked } = this;
    const several = spec.channels.length > 1;
    this.drawn = spec.channels.map((channel, k) =>
      channel.points.length && !(linked && k) ? new Lane(channel.expression, (points, settled) => this.redraw(k, points, settled)) : null);
    this.lanes.replaceChildren(...spec.channels.flatMap((channel, k) => {
      const expression = make("input", { class: "tsb-expression", spellcheck: "false", "aria-label": `expression of channel ${k + 1}`,
        oninput: () => expression.setCustomValidity(""), onchange: () => this.rename(k, expression) });
      expression.value = channel.expression;
      const remove = several ? make("button", { title: "remove this channel", onclick: () => this.drop(k) }, "×") : null;
      const shape = linked ? null : this.drawn[k]?.svg ?? make("div", { class: "tsb-hint" }, "no shape, conditions only");
      return [make("div", { class: "tsb-row" }, expression, remove), shape].filter(Boolean);
    }), ...(linked ? [this.drawn[0].svg] : []), make("div", { class: "tsb-row" },
      make("button", { title: "one more channel, drawn alike", onclick: () => this.addChannel() }, "+ channel"),
      several ? this.combine() : null,
      linked ? make("button", { title: "give every channel a drawing of its own", onclick: () => { this.apart = true; this.show(); } }, "unlink") : null));
  }

  combine() {
    const input = select("channels", { all: "all at once", any: "any of them" }, (combine) => this.change({ combine }));
    input.value = this.spec.combine;
    return input;
  }

  /** Part of the spec becomes another; settled changes can be undone. */
  change(news, settled = true) {
    if (settled) this.remember();
    else this.before ??= structuredClone(this.spec);
    this.spec = { ...this.spec, ...news };
    if (settled) this.show();
    this.tell(settled);
  }

  remember() {
    const before = JSON.stringify(this.before ?? this.spec);
    this.before = null;
    this.past.push(before);
    if (this.past.length > MOST_STEPS) this.past.shift();
    this.future = [];
  }

  redraw(k, points, settled) {
    const { linked } = this;
    const channels = this.spec.channels.map((channel, i) => (i === k || linked ? { ...channel, points } : channel));
    this.change({ channels }, settled);
  }

  rename(k, input) {
    const [old, expression] = [this.spec.channels[k].expression, input.value.trim()];
    const taken = this.spec.channels.some((channel, i) => i !== k && channel.expression === expression);
    if (!expression || taken) {
      input.value = old;
      input.setCustomValidity(taken ? "another channel has this expression" : "a channel needs an expression");
      input.reportValidity();
      return;
    }
    const channels = this.spec.channels.map((channel, i) => (i === k ? { ...channel, expression } : channel));
    const constraints = this.spec.constraints.map((one) => (one.channel === old ? { ...one, channel: expression } : one));
    this.change({ channels, constraints });
  }

  drop(k) {
    const gone = this.spec.channels[k].expression;
    const channels = this.spec.channels.filter((_, i) => i !== k);
    if (channels.some((channel) => channel.points.length)) {
      this.change({ channels, constraints: this.spec.constraints.filter((one) => one.channel !== gone) });
    }
  }

  addChannel() {
    const used = this.spec.channels.map((channel) => channel.expression);
    const metric = this.model.get("choices").metrics.find((name) => !used.includes(name));
    const points = this.spec.channels.find((channel) => channel.points.length).points;
    if (metric) this.change({ channels: [...this.spec.channels, { expression: metric, points }] });
  }

  flip() {
    const channels = this.spec.channels.map((channel) => ({ ...channel, points: scaledCorners(channel.points).map(([x, y]) => [x, rounded(1 - y)]) }));
    this.change({ channels });
  }

  back(from, to) {
    if (!from.length) return;
    to.push(JSON.stringify(this.spec));
    this.before = null;
    this.spec = JSON.parse(from.pop());
    this.show();
    this.tell(true);
  }

  key(event) {
    if (!(event.ctrlKey || event.metaKey) || ["text", "number"].includes(event.target.type)) return;
    const redo = event.key === "y" || (event.key === "Z" && event.shiftKey);
    if (event.key !== "z" && !redo) return;
    event.preventDefault();
    redo ? this.back(this.future, this.past) : this.back(this.past, this.future);
  }

  /** Ask the companies at the next frame. */
  tell(settled) {
    this.untold = { since: performance.now(), moving: !settled };
    this.frame ??= requestAnimationFrame(() => { this.frame = undefined; this.ask(); });
  }

  /** Send the newest drawing; where the search is slow, not before the older one is answered. At rest it is kept with the notebook. */
  ask() {
    const [waiting] = this.asked.values();
    const slow = this.model.get("found").milliseconds > SLOW;
    if (!this.untold || (slow && performance.now() - waiting < PATIENCE)) return;
    const { since, moving } = this.untold;
    this.untold = undefined;
    this.serial += 1;
    this.asked.set(this.serial, since);
    this.model.send({ do: "draw", serial: this.serial, spec: this.spec, where: this.where, moving });
    if (moving) return;
    this.model.set({ spec: structuredClone(this.spec), where: this.where });
    this.model.save_changes();
  }

  /** The kernel set another drawing: a preset, an example, a cell. */
  follow() {
    const [spec, where] = [this.model.get("spec"), this.model.get("where")];
    if (JSON.stringify(spec) === JSON.stringify(this.spec) && where === this.where) return;
    this.remember();
    [this.spec, this.where, this.apart] = [structuredClone(spec), where, false];
    this.show();
  }

  showFound() {
    const found = this.model.get("found");
    this.headline.textContent = headline(found);
    this.cards.classList.toggle("tsb-stale", Boolean(found.trouble));
    this.headline.classList.toggle("tsb-failed", Boolean(found.trouble));
    const match = ({ entity, channels, first, last, score }) => ({ entity, channels, first, last, score });
    showCards(this.cards, found,
      (card, verdict) => this.model.send({ do: "judge", pattern: found.pattern, verdict, ...match(card) }),
      (card) => this.model.send({ do: "example", ...match(card) }));
    for (const [serial, begun] of this.asked) {
      if (serial === found.serial && this.latencies.push(performance.now() - begun) > MOST_TIMES) this.latencies.shift();
      if (serial <= found.serial) this.asked.delete(serial);
    }
    this.ask();
  }
}

export default {
  render({ model, el }) {
    const board = new Board(model, el);
    return () => board.close();
  },
};
