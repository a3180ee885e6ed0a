// What stands around the drawing: presets, tolerances, conditions, and the buttons that take seconds.

const POLARITIES = { as_drawn: "as drawn", inverted: "upside down", either: "either way" };
const WHERES = { now: "now", history: "history", forming: "forming" };

function presets(groups, chosen) {
  const input = make("select", { "aria-label": "preset", onchange: () => { if (input.value) chosen(input.value); input.value = ""; } },
    make("option", { value: "" }, "preset …"),
    ...Object.entries(groups).filter(([, names]) => names.length).map(([group, names]) =>
      make("optgroup", { label: group }, ...names.map((name) => make("option", { value: name }, name.replaceAll("_", " "))))));
  return input;
}

const LIMITS = [["low", "at least"], ["high", "at most"]];

/** A line per condition: channel, quantity, bounds. `changed(constraints, shown)`; shown: the lines say so already. */
function conditions(spec, kinds, changed) {
  const all = structuredClone(spec.constraints);
  const replaced = (place, news) => {
    Object.assign(all[place], news);
    changed(structuredClone(all), true);
  };
  const rows = all.map((one, place) => make(
    "div", { class: "tsb-condition" },
    ((input) => { input.value = one.kind; return input; })(select("quantity", Object.fromEntries(kinds.map((k) => [k, k.replaceAll("_", " ")])), (kind) => replaced(place, { kind }))),
    ((input) => { input.value = one.channel; return input; })(select("of", Object.fromEntries(spec.channels.map((c) => [c.expression, c.expression])), (channel) => replaced(place, { channel }))),
    ...LIMITS.map(([end, word]) => {
      const input = make("input", { type: "number", step: "any", placeholder: word, "aria-label": word,
        onchange: () => {
          const news = { [end]: input.value === "" ? null : Number(input.value) };
          const { low, high } = { ...all[place], ...news };
          if (low !== null || high !== null) replaced(place, news);
        } });
      input.value = one[end] ?? "";
      return input;
    }),
    make("button", { title: "remove this condition", onclick: () => changed(all.filter((_, i) => i !== place), false) }, "×"),
  ));
  const add = () => changed([...all, { channel: spec.channels[0].expression, kind: "change", low: 0, high: null }], false);
  return make("div", { class: "tsb-conditions" }, ...rows, make("button", { onclick: add }, "+ condition in units"));
}

/** Where the server shows a file of the project; "" when this page is no JupyterLab, or the file lies elsewhere. */
function linkTo(path) {
  const config = document.getElementById("jupyter-config-data");
  if (!config || !path) return "";
  const { serverRoot = "", baseUrl = "/" } = JSON.parse(config.textContent);
  if (!serverRoot) return "";
  const root = serverRoot.replace(/\/$/, "");
  const tail = path.startsWith(`${root}/`) ? path.slice(root.length + 1)
    : root.startsWith("~/") && path.includes(root.slice(1) + "/") ? path.split(root.slice(1) + "/").pop() : "";
  return tail ? `${baseUrl}files/${tail.split("/").map(encodeURIComponent).join("/")}` : "";
}

/** The long verbs and what they say; `act(verb)`. */
function actions(act, hasStore) {
  const verbs = { train: "Train", save: "Save", scan: "Scan all", report: "Report" };
  const hints = { train: "a judge, p and q for this drawing (about 3 s)", save: "keep pattern and detector in the store",
    scan: "ask every company, kept in the store", report: "a new scan of the quarterly series, as a page" };
  const buttons = Object.entries(verbs).map(([verb, text]) =>
    make("button", { class: "tsb-verb", "data-verb": verb, title: hints[verb], onclick: () => act(verb) }, text));
  const cancel = make("button", { class: "tsb-cancel", onclick: () => act("cancel") }, "Cancel");
  const text = make("span", { class: "tsb-status", role: "status" });
  const show = (status) => {
    const link = linkTo(status.link);
    text.replaceChildren(status.busy ? `${status.busy} … ${status.done ? `${status.done} pieces` : ""}` : status.text ?? "",
      ...(link ? [" ", make("a", { href: link, target: "_blank" }, "open the page")] : status.link ? [` ${status.link}`] : []));
    text.classList.toggle("tsb-failed", Boolean(status.failed));
    cancel.hidden = !status.busy || !status.stoppable;
    buttons.forEach((button) => { button.disabled = Boolean(status.busy) || (button.dataset.verb !== "train" && !hasStore); });
  };
  return { node: make("div", { class: "tsb-actions" }, ...buttons, cancel, text), show };
}
