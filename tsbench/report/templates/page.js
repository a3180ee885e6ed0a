// Draw every figure of the page from the JSON that stands inside it, in the light or dark colours its reader prefers.
(() => {
  const config = { responsive: true, displaylogo: false, displayModeBar: false, showTips: false };
  const dark = JSON.parse(document.getElementById("dark").textContent);
  const light = Object.fromEntries(Object.entries(dark).map(([of_light, of_dark]) => [of_dark, of_light]));
  const preference = matchMedia("(prefers-color-scheme: dark)");

  const swapper = (table) => {
    const colours = new RegExp(Object.keys(table).map((colour) => colour.replace(/[().]/g, "\\$&")).join("|"), "g");
    return (text) => text.replace(colours, (colour) => table[colour]);
  };
  const [to_dark, to_light] = [swapper(dark), swapper(light)];

  // colours that stand in the tags of drawings and tables
  const tags = [];
  for (const element of document.querySelectorAll("main [style], main [fill], main [stroke]")) {
    for (const name of ["style", "fill", "stroke"]) {
      if (element.hasAttribute(name)) tags.push([element, name, element.getAttribute(name)]);
    }
  }

  const figures = [...document.querySelectorAll("figure.plot")].map((holder) => {
    const text = holder.querySelector("script").textContent;
    // a figure in a look of its own keeps it
    const paper = JSON.parse(text).layout?.template?.layout?.paper_bgcolor;
    const canvas = document.createElement("div");
    holder.append(canvas);
    return { canvas, text, house: paper in dark || paper in light };
  });

  const draw = (swap) => {
    for (const [element, name, text] of tags) element.setAttribute(name, swap(text));
    for (const { canvas, text, house } of figures) {
      const figure = JSON.parse(house ? swap(text) : text);
      Plotly.react(canvas, figure.data, figure.layout, { ...figure.config, ...config, plotlyServerURL: "" });
    }
  };
  const preferred = () => draw(preference.matches ? to_dark : to_light);
  preferred();
  preference.addEventListener("change", preferred);
  addEventListener("beforeprint", () => preference.matches && draw(to_light));
  addEventListener("afterprint", () => preference.matches && preferred());
})();
