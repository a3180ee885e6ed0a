// Lines of several companies, a lane per channel on one time axis; the pointer reads all of them at once.

// The width is that of the place it is drawn in, in pixels, so that words keep their size.
const CHART = { width: 640, height: 150, left: 4, right: 58, top: 8, bottom: 18 };
const COLOURS = ["blue", "orange", "green", "pink", "amber", "sky", "ink", "brown"].map((name) => `var(--${name})`);

const acrossChart = (x) => CHART.left + (x / 2000) * (CHART.width - CHART.left - CHART.right);
const LEAST = 280;
const downChart = (y) => CHART.top + (1 - y / 1000) * (CHART.height - CHART.top - CHART.bottom);

function lineOf(line, colour) {
  let path = "";
  let pen = "M";
  line.y.forEach((y, i) => {
    if (y === null) { pen = "M"; return; }
    path += `${pen}${acrossChart(line.x[i]).toFixed(1)},${downChart(y).toFixed(1)}`;
    pen = "L";
  });
  const doubted = line.doubted.filter((i) => line.y[i] !== null).map((i) =>
    make("circle", { class: "tsb-doubted", cx: acrossChart(line.x[i]), cy: downChart(line.y[i]), r: 3.5, style: `stroke:${colour}` },
      make("title", {}, `${line.symbol} ${line.when[i]}: ${line.text[i]}, doubtful, left out of scans`)));
  return make("g", {}, make("path", { d: path, class: "tsb-values", style: `stroke:${colour}` }), ...doubted);
}

/** The lane of one channel; `pointed(x)` is told where the pointer is, from 0 to 2000, null when it left. */
function laneChart(lane, years, pointed) {
  const rule = make("line", { class: "tsb-rule", y1: CHART.top, y2: CHART.height - CHART.bottom, visibility: "hidden" });
  const move = (event) => {
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * CHART.width;
    pointed(within(((x - CHART.left) / (CHART.width - CHART.left - CHART.right)) * 2000, 0, 2000));
  };
  const spoken = lane.lines.map((line) => `${line.symbol} last ${line.text[line.text.length - 1]}`).join(", ");
  if (!lane.lines.length) return { svg: make("div", { class: "tsb-hint" }, "no values of the companies drawn"), point: () => {} };
  const svg = make("svg", { viewBox: `0 0 ${CHART.width} ${CHART.height}`, role: "img", class: "tsb-chart",
    "aria-label": `${lane.title}: ${spoken}`, onpointermove: move, onpointerleave: () => pointed(null) },
    ...lane.ticks.map(([y, text]) => make("g", {},
      make("line", { class: "tsb-grid", x1: CHART.left, x2: CHART.width - CHART.right, y1: downChart(y), y2: downChart(y) }),
      make("text", { x: CHART.width - CHART.right + 6, y: downChart(y) + 4 }, text))),
    ...years.filter((_, i) => i % Math.ceil((years.length * 50) / CHART.width) === 0).map(([x, text]) => make("text", { x: acrossChart(x), y: CHART.height - 4, "text-anchor": x > 1900 ? "end" : x < 60 ? "start" : "middle" }, text)),
    ...lane.lines.map((line) => lineOf(line, COLOURS[line.colour % COLOURS.length])), rule);
  const point = (x) => {
    rule.setAttribute("visibility", x === null ? "hidden" : "visible");
    if (x === null) return;
    rule.setAttribute("x1", acrossChart(x));
    rule.setAttribute("x2", acrossChart(x));
  };
  return { svg, point };
}

/** The position of the value nearest to x. */
function nearest(xs, x) {
  let [low, high] = [0, xs.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle; else high = middle;
  }
  return x - xs[low] <= xs[high] - x ? low : high;
}

/** What the lines of a lane are at x: the time, and per company its words in its colour; ended or not begun: nothing. */
function reading(lane, x) {
  const told = lane.lines.filter((line) => line.x.length).map((line) => [line, nearest(line.x, x)])
    .filter(([line, i]) => Math.abs(line.x[i] - x) < 40 && line.y[i] !== null);
  if (!told.length) return [];
  return [told[0][0].when[told[0][1]], ...told.map(([line, i]) =>
    make("span", { style: `color:${COLOURS[line.colour % COLOURS.length]}` }, `${line.symbol} ${line.text[i]}`))];
}
