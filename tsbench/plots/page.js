// Draw the figure that stands in the page as JSON, in the light or dark colours its reader prefers; print is light.
(() => {
  const read = (id) => document.getElementById(id).textContent;
  const dark = JSON.parse(read("dark"));
  const config = { responsive: true, displaylogo: false, showTips: false, plotlyServerURL: "", showSendToCloud: false };
  const colours = new RegExp(Object.keys(dark).map((colour) => colour.replace(/[().]/g, "\\$&")).join("|"), "g");
  const preference = matchMedia("(prefers-color-scheme: dark)");
  const draw = (as_dark) => {
    const text = read("figure");
    const figure = JSON.parse(as_dark ? text.replace(colours, (colour) => dark[colour]) : text);
    Plotly.react(document.getElementById("plot"), figure.data, figure.layout, config);
  };
  draw(preference.matches);
  preference.addEventListener("change", () => draw(preference.matches));
  addEventListener("beforeprint", () => preference.matches && draw(false));
  addEventListener("afterprint", () => preference.matches && draw(true));
})();
