// Elements of a page, and the controls that every board is made of.

const SVG = "http://www.w3.org/2000/svg";

function make(tag, attributes = {}, ...children) {
  const space = ["svg", "g", "path", "circle", "line", "rect", "text", "polyline", "title"].includes(tag);
  const node = space ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

const within = (value, low, high) => Math.min(Math.max(value, low), high);
const rounded = (value) => Math.round(value * 1e4) / 1e4;

function field(label, input, hint) {
  return make("label", { class: "tsb-field", title: hint }, make("span", {}, label), input);
}

/** A slider that shows its value; `changed(value, settled)`. */
function slider(name, hint, [low, high, step], changed) {
  const shown = make("output", {});
  const input = make("input", {
    type: "range", min: low, max: high, step, "aria-label": name,
    oninput: () => { shown.textContent = input.value; changed(Number(input.value), false); },
    onchange: () => changed(Number(input.value), true),
  });
  const node = make("label", { class: "tsb-field", title: hint }, make("span", {}, name), input, shown);
  return { node, show: (value) => { input.value = value; shown.textContent = value; } };
}

function number(name, [low, high], changed) {
  const input = make("input", { type: "number", min: low, max: high, "aria-label": name,
    onchange: () => { if (input.checkValidity() && input.value) changed(Number(input.value)); } });
  return input;
}

function select(name, options, changed) {
  const input = make("select", { "aria-label": name, onchange: () => changed(input.value) },
    ...Object.entries(options).map(([value, text]) => make("option", { value }, text)));
  return input;
}

/** Buttons of which one is pressed. */
function segments(options, changed) {
  const buttons = Object.fromEntries(Object.entries(options).map(([value, text]) =>
    [value, make("button", { onclick: () => changed(value) }, text)]));
  const node = make("div", { class: "tsb-segments", role: "group" }, ...Object.values(buttons));
  const show = (chosen) => Object.entries(buttons).forEach(([value, button]) => button.setAttribute("aria-pressed", value === chosen));
  return { node, show };
}
