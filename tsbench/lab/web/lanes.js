// The drawing: one lane per channel, its corners dragged by mouse, touch or keys, or drawn in one stroke.

const LANE = { width: 340, height: 150, edge: 14 };
const STEP = 0.02;
const SNAP = 0.05;
// A stroke is kept to this, as a share of the lane's height, and to so many corners.
const ROUGH = 0.04;
const MOST_CORNERS = 12;

/** Corners with heights from 0 to 1, whatever unit they came in. */
function scaledCorners(points) {
  const heights = points.map(([, y]) => y);
  const low = Math.min(...heights);
  const reach = Math.max(...heights) - low || 1;
  return points.map(([x, y]) => [x, (y - low) / reach]);
}

/** The corners of a stroke: Ramer (1972) and Douglas and Peucker (1973), the farthest point first. */
function corners(stroke) {
  const kept = [0, stroke.length - 1];
  while (kept.length < MOST_CORNERS) {
    let worst = ROUGH;
    let at = -1;
    for (let k = 1; k < kept.length; k++) {
      const [a, b] = [stroke[kept[k - 1]], stroke[kept[k]]];
      for (let i = kept[k - 1] + 1; i < kept[k]; i++) {
        const share = (stroke[i][0] - a[0]) / (b[0] - a[0] || 1);
        const off = Math.abs(stroke[i][1] - a[1] - share * (b[1] - a[1]));
        if (off > worst) [worst, at] = [off, i];
      }
    }
    if (at < 0) break;
    kept.push(at);
    kept.sort((a, b) => a - b);
  }
  const [first, last] = [stroke[0][0], stroke[stroke.length - 1][0]];
  return kept.map((i) => [rounded((stroke[i][0] - first) / (last - first)), rounded(stroke[i][1])]);
}

/**
 * One lane. `changed(points, settled)` is called with corners while they move (settled false) and when they rest.
 * `draw(points)` shows others; `mode` is "corners" or "stroke"; `snap` puts corners on a grid.
 */
class Lane {
  constructor(label, changed) {
    this.changed = changed;
    this.points = [];
    this.mode = "corners";
    this.snap = false;
    this.line = make("polyline", { class: "tsb-line" });
    this.stroke = make("polyline", { class: "tsb-stroke" });
    this.dots = make("g");
    this.svg = make(
      "svg",
      {
        class: "tsb-lane", viewBox: `0 0 ${LANE.width} ${LANE.height}`, role: "group",
        "aria-label": `drawing of ${label}`, onpointerdown: (event) => this.down(event),
        ondblclick: (event) => this.add(event),
      },
      ...this.grid(), this.line, this.stroke, this.dots,
    );
  }

  grid() {
    const { width, height, edge } = LANE;
    return [0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
      make("line", { class: "tsb-grid", x1: edge, x2: width - edge, y1: this.y(share), y2: this.y(share) }),
      make("line", { class: "tsb-grid", x1: this.x(share), x2: this.x(share), y1: edge, y2: height - edge }),
    ]);
  }

  x(share) { return LANE.edge + share * (LANE.width - 2 * LANE.edge); }
  y(share) { return LANE.height - LANE.edge - share * (LANE.height - 2 * LANE.edge); }

  /** Where the pointer is, in shares of the lane. */
  place(event) {
    const box = this.svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * LANE.width;
    const y = ((event.clientY - box.top) / box.height) * LANE.height;
    return [
      within((x - LANE.edge) / (LANE.width - 2 * LANE.edge), 0, 1),
      within((LANE.height - LANE.edge - y) / (LANE.height - 2 * LANE.edge), 0, 1),
    ];
  }

  draw(points) {
    this.points = points.map((point) => [...point]);
    this.line.setAttribute("points", this.points.map(([x, y]) => `${this.x(x)},${this.y(y)}`).join(" "));
    while (this.dots.childNodes.length > points.length) this.dots.lastChild.remove();
    while (this.dots.childNodes.length < points.length) {
      const place = this.dots.childNodes.length;
      this.dots.append(
        make("circle", { class: "tsb-dot", r: 7, tabindex: 0, role: "slider", onkeydown: (event) => this.key(event, place) }),
      );
    }
    this.points.forEach(([x, y], place) => {
      const dot = this.dots.childNodes[place];
      dot.setAttribute("cx", this.x(x));
      dot.setAttribute("cy", this.y(y));
      const told = `corner ${place + 1} of ${points.length}: time ${Math.round(100 * x)} %, height ${Math.round(100 * y)} %`;
      dot.setAttribute("aria-label", told);
      dot.setAttribute("aria-valuenow", Math.round(100 * y));
      dot.setAttribute("aria-valuetext", told);
    });
  }

  /** A corner goes to (x, y), but not past its neighbours; the first and last keep their time. */
  move(place, x, y, settled) {
    const grid = (value) => (this.snap ? Math.round(value / SNAP) * SNAP : value);
    const points = this.points.map((point) => [...point]);
    const last = points.length - 1;
    const low = place === 0 ? 0 : place === last ? 1 : points[place - 1][0] + 0.01;
    const high = place === 0 ? 0 : place === last ? 1 : points[place + 1][0] - 0.01;
    points[place] = [rounded(within(grid(x), low, high)), rounded(within(grid(y), 0, 1))];
    if (JSON.stringify(points) !== JSON.stringify(this.points)) this.set(points, settled);
  }

  set(points, settled) {
    const heights = points.map(([, y]) => y);
    this.draw(points);
    // A flat line is no shape: it is shown, and waits for a corner to move.
    if (Math.max(...heights) > Math.min(...heights)) this.changed(this.points, settled);
  }

  down(event) {
    if (event.button !== 0) return;
    if (this.mode === "stroke") return this.strokeFrom(event);
    const place = [...this.dots.childNodes].indexOf(event.target);
    if (place < 0) return;
    event.preventDefault();
    event.target.focus();
    const before = JSON.stringify(this.points);
    // A click that moved nothing is no change.
    this.follow(event, (at) => this.move(place, ...at, false), () => JSON.stringify(this.points) !== before && this.set(this.points, true));
  }

  strokeFrom(event) {
    event.preventDefault();
    const stroke = [this.place(event)];
    this.follow(
      event,
      (at) => {
        if (at[0] > stroke[stroke.length - 1][0] + 0.004) stroke.push(at);
        this.stroke.setAttribute("points", stroke.map(([x, y]) => `${this.x(x)},${this.y(y)}`).join(" "));
      },
      () => {
        this.stroke.setAttribute("points", "");
        if (stroke.length > 2) this.set(corners(stroke), true);
      },
    );
  }

  follow(event, moved, ended) {
    this.svg.setPointerCapture(event.pointerId);
    const move = (next) => moved(this.place(next));
    const end = () => {
      this.svg.removeEventListener("pointermove", move);
      this.svg.removeEventListener("pointerup", end);
      this.svg.removeEventListener("pointercancel", end);
      ended();
    };
    this.svg.addEventListener("pointermove", move);
    this.svg.addEventListener("pointerup", end);
    this.svg.addEventListener("pointercancel", end);
  }

  add(event) {
    if (this.mode === "stroke" || event.target.classList.contains("tsb-dot")) return;
    const [x, y] = this.place(event);
    if (x > 0.01 && x < 0.99) this.insert(rounded(x), rounded(y));
  }

  insert(x, y) {
    const after = this.points.findIndex(([other]) => other > x);
    if (after < 1 || this.points.some(([other]) => Math.abs(other - x) < 0.01)) return;
    this.set([...this.points.slice(0, after), [x, y], ...this.points.slice(after)], true);
    this.dots.childNodes[after].focus();
  }

  key(event, place) {
    const [x, y] = this.points[place];
    const step = (event.shiftKey ? 5 : 1) * (this.snap ? SNAP : STEP);
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (event.key in moves) {
      this.move(place, x + moves[event.key][0], y + moves[event.key][1], true);
    } else if (["Delete", "Backspace"].includes(event.key)) {
      if (place > 0 && place < this.points.length - 1) this.set(this.points.filter((_, i) => i !== place), true);
      this.dots.childNodes[Math.min(place, this.points.length - 1)].focus();
    } else if (["Insert", "+"].includes(event.key) && place < this.points.length - 1) {
      const [x2, y2] = this.points[place + 1];
      this.insert(rounded((x + x2) / 2), rounded((y + y2) / 2));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
