// The companies' answer: a card per match with its line, its stretch and the drawing over it.

const CARD = { width: 200, lane: 72, edge: 4 };
// p takes the stretch as the pattern.
const KEYS = { a: "accept", r: "reject", u: "unsure" };
const SAID = { accept: "accepted", reject: "rejected", unsure: "unsure" };

/** An SVG path that leaves a gap where a value is missing. */
function pathOf(line, first, step) {
  let path = "";
  let pen = "M";
  line.forEach((height, i) => {
    if (height === null) { pen = "M"; return; }
    const y = CARD.edge + (1 - height / 1000) * (CARD.lane - 2 * CARD.edge);
    path += `${pen}${((first + i) * step).toFixed(1)},${y.toFixed(1)}`;
    pen = "L";
  });
  return path;
}

function laneOf(lane) {
  const step = CARD.width / Math.max(lane.line.length - 1, 1);
  const box = { x: lane.first * step, width: (lane.count - 1) * step, y: 0, height: CARD.lane, class: "tsb-found" };
  return make(
    "figure", {},
    make("figcaption", { title: lane.title }, make("span", {}, lane.title), make("span", { title: "highest value shown" }, lane.high)),
    make("div", { class: "tsb-graph" },
      make(
        "svg", { viewBox: `0 0 ${CARD.width} ${CARD.lane}`, preserveAspectRatio: "none", role: "img",
          "aria-label": `${lane.title} from ${lane.from} to ${lane.to}, between ${lane.low} and ${lane.high}` },
        make("rect", box),
        make("path", { d: pathOf(lane.line, 0, step), class: "tsb-values" }),
        make("path", { d: pathOf(lane.drawn, lane.first, step), class: "tsb-drawn" }),
      ),
      make("span", { class: "tsb-low", title: "lowest value shown" }, lane.low),
    ),
    make("div", { class: "tsb-dates" }, make("span", {}, lane.from), make("span", {}, lane.to)),
  );
}

const sureness = (card) =>
  card.q === null ? `score ${card.score.toFixed(2)}` : `score ${card.score.toFixed(2)}, p ${card.p.toPrecision(2)}, q ${card.q.toPrecision(2)}`;

/** A card; `judge(verdict)` and `take()` are what its buttons and keys do. */
function cardOf(card, place, judge, take) {
  const verdict = (key, name) =>
    make("button", { title: `${name} (key ${key})`, "aria-pressed": card.verdict === name, class: `tsb-${name}`,
      tabindex: -1, onclick: () => judge(card, name) }, { a: "✓", r: "✗", u: "?" }[key]);
  const key = (event) => {
    const cards = [...event.currentTarget.parentNode.children];
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in KEYS) judge(card, KEYS[event.key]);
    else if (event.key === "p") take(card);
    else if (event.key in moves) cards[place + moves[event.key]]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return make(
    "article",
    { tabindex: 0, class: `tsb-card tsb-said-${card.verdict || "nothing"}`, onkeydown: key,
      "aria-label": `${place + 1}. ${card.name}, ${card.start} to ${card.end}, ${sureness(card)}, ${SAID[card.verdict] ?? "not judged"}` },
    make("header", {}, make("b", { title: card.sector }, `${place + 1} ${card.name}`), make("span", {}, card.entity)),
    make("div", { class: "tsb-when" }, `${card.start} – ${card.end}`),
    make("div", { class: "tsb-when" }, sureness(card)),
    ...card.lanes.map(laneOf),
    make("footer", {}, ...Object.entries(KEYS).map(([k, name]) => verdict(k, name)),
      make("button", { tabindex: -1, class: "tsb-take", title: "take this stretch as the pattern (key p)", onclick: () => take(card) }, "as pattern")),
  );
}

/** All cards; one that has the focus keeps it. */
function showCards(list, found, judge, take) {
  const active = list.getRootNode().activeElement;
  const place = [...list.children].findIndex((one) => one.contains(active));
  list.replaceChildren(...(found.cards ?? []).map((card, i) => cardOf(card, i, judge, take)));
  if (place >= 0) list.children[Math.min(place, list.children.length - 1)]?.focus();
}

function headline(found) {
  if (found.trouble) return found.trouble;
  const where = { now: "now", history: "in all of history", forming: "still forming" }[found.where];
  const how = found.by === "odds" ? "by the odds of a trained detector" : "by correlation alone";
  const { accept = 0, reject = 0, unsure = 0 } = found.said ?? {};
  const said = accept + reject + unsure ? ` · judged: ${accept} ✓ ${reject} ✗ ${unsure} ?` : "";
  const tried = found.tried > 1 ? ` · ${found.tried} drawings tried under this name` : "";
  return `The nearest of ${found.tested} companies ${where}, ${how}${said}${tried}`;
}
