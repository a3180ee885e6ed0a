// Draw every figure of the page from the JSON that stands inside it.
(() => {
  const config = { responsive: true, displaylogo: false, displayModeBar: false, showTips: false };
  for (const holder of document.querySelectorAll("figure.plot")) {
    const figure = JSON.parse(holder.querySelector("script").textContent);
    const canvas = document.createElement("div");
    holder.append(canvas);
    Plotly.newPlot(canvas, figure.data, figure.layout, { ...figure.config, ...config, plotlyServerURL: "" });
  }
})();
