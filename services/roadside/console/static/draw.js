// Zones, masks, a line and the two lines of speed, drawn on a camera's picture by mouse (drag), finger and keyboard. Points are fractions of the
// picture, kept as JSON in the form's field `drawn`; the server checks them.
const form = document.querySelector("[data-draw]");
const canvas = form.querySelector("[data-canvas]");
const field = form.querySelector("[name=drawn]");
const removing = form.querySelector("[data-remove]");
const tools = [...form.querySelectorAll("[data-add]")];
const measures = form.querySelector("[data-speed]");
const [ZONE, MASK, LINE, CORNER, INSIDE, SPEED] = form.dataset.words.split("|");
const NAMES = { zone: ZONE, mask: MASK, line: LINE, speed: SPEED };
const OPEN = ["line", "speed"]; // these enclose nothing
const MOST = { line: 1, speed: 2 }; // a camera has of them
const SVG = "http://www.w3.org/2000/svg";
const SIDE = 1000; // of the canvas's own units
const LEAST = 0.03; // a shorter drag is a click
let kind = "zone";
let chosen = null; // { shape, point }
let drag = null;
const given = JSON.parse(field.value || "{}");
const shapes = [
  ...(given.zones || []).map((points) => ({ kind: "zone", points })),
  ...(given.masks || []).map((points) => ({ kind: "mask", points })),
  ...(given.line ? [{ kind: "line", points: [given.line.start, given.line.end, given.line.inwards] }] : []),
  ...["first", "second"].filter((end) => given.speed?.[end]).map((end) => ({ kind: "speed", points: given.speed[end] })),
];

const clamp = (value) => Math.min(1, Math.max(0, Math.round(value * 1000) / 1000));

function make(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent.append(element);
  return element;
}

function keep() {
  const of = (wanted) => shapes.filter((shape) => shape.kind === wanted).map((shape) => shape.points);
  const [line] = of("line");
  const table = { zones: of("zone"), masks: of("mask") };
  if (line) table.line = { start: line[0], end: line[1], inwards: line[2] };
  const [first, second] = of("speed");
  if (first) table.speed = { first, second };
  field.value = JSON.stringify(table);
}

function draw(focus) {
  canvas.replaceChildren();
  const counts = {};
  shapes.forEach((shape, index) => {
    counts[shape.kind] = (counts[shape.kind] || 0) + 1;
    const name = `${NAMES[shape.kind]} ${counts[shape.kind]}`;
    const group = make("g", { class: `${shape.kind}${chosen?.shape === index ? " chosen" : ""}` }, canvas);
    const at = (points) => points.map(([x, y]) => `${x * SIDE},${y * SIDE}`).join(" ");
    if (OPEN.includes(shape.kind)) {
      const [start, end, inwards] = shape.points;
      make("polyline", { points: at([start, end]), "data-shape": index }, group);
      if (inwards) make("polyline", { points: at([middle(shape.points), inwards]), class: "inwards" }, group);
    } else {
      make("polygon", { points: at(shape.points), "data-shape": index }, group);
    }
    shape.points.forEach(([x, y], point) => {
      const label = shape.kind === "line" && point === 2 ? `${name}, ${INSIDE}` : `${name}, ${CORNER} ${point + 1}`;
      const handle = make("ellipse", { cx: x * SIDE, cy: y * SIDE, ...radii(), tabindex: 0, role: "button",
        "aria-label": label, "data-shape": index, "data-point": point, class: "handle" }, group);
      if (focus && chosen?.shape === index && chosen?.point === point) handle.focus({ preventScroll: true });
    });
  });
  const pair = shapes.filter((shape) => shape.kind === "speed");
  if (pair.length === 2) {
    const way = pair.map((shape) => middle(shape.points).map((value) => value * SIDE).join(",")).join(" ");
    canvas.prepend(make("polyline", { points: way, class: "way" }, canvas));
  }
  removing.disabled = chosen === null;
  measures.hidden = measures.disabled = !pair.length && kind !== "speed";
  keep();
}

function middle([[x1, y1], [x2, y2]]) {
  return [(x1 + x2) / 2, (y1 + y2) / 2];
}

// Handles are round on the screen, though the canvas is stretched.
function radii() {
  const box = canvas.getBoundingClientRect();
  return { rx: (12 * SIDE) / (box.width || 600), ry: (12 * SIDE) / (box.height || 400) };
}

function add(points) {
  const known = shapes.filter((shape) => shape.kind === kind);
  if (known.length >= (MOST[kind] ?? Infinity)) {
    // The nearest of them is drawn anew, in its place.
    const [x, y] = middle(points);
    const away = (shape) => Math.hypot(middle(shape.points)[0] - x, middle(shape.points)[1] - y);
    const nearest = known.reduce((one, other) => (away(other) < away(one) ? other : one));
    nearest.points = points;
    chosen = { shape: shapes.indexOf(nearest), point: 0 };
  } else {
    shapes.push({ kind, points });
    chosen = { shape: shapes.length - 1, point: 0 };
  }
  draw(true);
}

function between([x1, y1], [x2, y2]) {
  if (kind === "speed") return [[x1, y1], [x2, y2]];
  if (kind !== "line") return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]];
  // Inside is below a line from left to right: where vehicles come towards the camera.
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = Math.hypot(dx, dy) || 1;
  return [[x1, y1], [x2, y2], [clamp((x1 + x2) / 2 - (0.15 * dy) / length), clamp((y1 + y2) / 2 + (0.15 * dx) / length)]];
}

function place(event) {
  const box = canvas.getBoundingClientRect();
  return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
}

canvas.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  canvas.setPointerCapture(event.pointerId);
  const { shape, point } = event.target.dataset;
  if (shape !== undefined) chosen = { shape: Number(shape), point: Number(point || 0) };
  drag = { from: place(event), moving: point !== undefined };
  draw(true);
});

canvas.addEventListener("pointermove", (event) => {
  if (!drag?.moving) return;
  shapes[chosen.shape].points[chosen.point] = place(event);
  draw(true);
});

canvas.addEventListener("pointerup", (event) => {
  const begun = drag;
  drag = null;
  if (!begun || begun.moving) return;
  const [from, to] = [begun.from, place(event)];
  const [width, height] = [Math.abs(from[0] - to[0]), Math.abs(from[1] - to[1])];
  if (OPEN.includes(kind)) {
    if (Math.hypot(width, height) > LEAST) add(between(from, to));
  } else if (width > LEAST && height > LEAST) {
    const corner = (pick) => [pick(from[0], to[0]), pick(from[1], to[1])];
    add(between(corner(Math.min), corner(Math.max)));
  }
});

canvas.addEventListener("focusin", (event) => {
  const { shape, point } = event.target.dataset;
  if (point === undefined) return;
  chosen = { shape: Number(shape), point: Number(point) };
  removing.disabled = false;
});

canvas.addEventListener("keydown", (event) => {
  if (!chosen || event.ctrlKey || event.altKey || event.metaKey) return;
  const { points, kind: of } = shapes[chosen.shape];
  const step = event.shiftKey ? 0.002 : 0.02;
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
  if (moves[event.key]) {
    const [x, y] = points[chosen.point];
    points[chosen.point] = [clamp(x + moves[event.key][0]), clamp(y + moves[event.key][1])];
  } else if (event.key === "+" && !OPEN.includes(of)) {
    const [[x1, y1], [x2, y2]] = [points[chosen.point], points[(chosen.point + 1) % points.length]];
    points.splice(chosen.point + 1, 0, [clamp((x1 + x2) / 2), clamp((y1 + y2) / 2)]);
    chosen.point += 1;
  } else if (event.key === "Delete" || event.key === "Backspace") {
    event.preventDefault();
    if (OPEN.includes(of) || points.length <= 3) return remove();
    points.splice(chosen.point, 1);
    chosen.point = Math.min(chosen.point, points.length - 1);
  } else {
    return;
  }
  event.preventDefault();
  draw(true);
});

function remove() {
  if (!chosen) return;
  shapes.splice(chosen.shape, 1);
  chosen = null;
  draw(false);
  tools.find((tool) => tool.dataset.add === kind).focus();
}

removing.addEventListener("click", remove);
form.querySelector("[data-put]").addEventListener("click", () => {
  if (kind === "speed") {
    const free = [0.45, 0.8].find((y) => !shapes.some((shape) => shape.kind === kind && Math.abs(middle(shape.points)[1] - y) < 0.1));
    return add(between([0.2, free ?? 0.45], [0.8, free ?? 0.45]));
  }
  add(kind === "line" ? between([0.2, 0.6], [0.8, 0.6]) : between([0.3, 0.3], [0.7, 0.7]));
});
for (const tool of tools) {
  tool.addEventListener("click", () => {
    kind = tool.dataset.add;
    for (const each of tools) each.setAttribute("aria-pressed", String(each === tool));
    draw(false);
  });
}
window.addEventListener("resize", () => draw(false));
form.querySelector("img").addEventListener("load", () => draw(false), { once: true });
draw(false);
