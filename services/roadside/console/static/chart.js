// Vehicles by hour as stacked bars, in the colours of the verdicts.
const box = document.querySelector("[data-series]");

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name.toLowerCase()}`).trim();
}

function stacked(data) {
  const sums = data[0].map(() => 0);
  return [data[0], ...data.slice(1).map((row) => row.map((value, i) => (sums[i] += value)))];
}

async function show() {
  const answer = await fetch(box.dataset.series);
  if (!answer.ok) return;
  const { names, labels, zone, data } = await answer.json();
  const language = document.documentElement.lang;
  const hour = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: zone });
  const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "numeric", timeZone: zone });
  const moment = (at) => (data[0].length > 48 ? day : hour).format(at * 1000);
  const bars = uPlot.paths.bars({ size: [0.8, 40] });
  const ink = getComputedStyle(box).color;
  const axis = { stroke: ink, grid: { stroke: "rgb(128 128 128 / 20%)" }, ticks: { show: false } };
  const series = names.map((name, i) => ({
    label: labels[i], fill: colour(name), stroke: colour(name), paths: bars, points: { show: false }, value: (u, v, k, at) => (at == null ? "-" : data[i + 1][at]),
  }));
  // The tallest sums are drawn first, so that what stands below covers them.
  const chart = new uPlot(
    { width: box.clientWidth - 24, height: 280, series: [{ label: labels.at(-1), value: (u, at) => (at == null ? "-" : `${day.format(at * 1000)} ${hour.format(at * 1000)}`) }, ...series.reverse()], axes: [{ ...axis, values: (u, splits) => splits.map(moment) }, { ...axis, size: 40 }], scales: { y: { range: (u, low, high) => [0, Math.max(1, high)] } }, cursor: { y: false } },
    [data[0], ...stacked(data).slice(1).reverse()],
    box,
  );
  new ResizeObserver(() => chart.setSize({ width: box.clientWidth - 24, height: 280 })).observe(box);
}

show();
