// The plot of "See Adam work": recorded paths of optimizers on a surface, from paths.*.json beside
// the picture that it replaces. scripts/concepts/paths.py writes the files and describes them.
"use strict";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const THEMES = {
  light: { low: [143, 170, 184], high: [246, 249, 250], rim: "#ffffff", ink: "#222222",
    lines: ["#0072b2", "#d55e00", "#007a58", "#a8478f", "#8a6500"] },
  dark: { low: [20, 24, 34], high: [72, 84, 106], rim: "#0b0d12", ink: "#eeeeee",
    lines: ["#62bdf0", "#ff8a3c", "#2fd0a0", "#f0a0d0", "#f5cf4a"] },
};
const BANDS = 16;

function decode(text) {
  const values = new Float32Array(text.length / 2);
  for (let i = 0; i < values.length; i++)
    values[i] = (DIGITS.indexOf(text[2 * i]) * 64 + DIGITS.indexOf(text[2 * i + 1])) / 4095;
  return values;
}

// An element with properties and children.
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function slider(label) {
  const input = make("input", { type: "range", min: 0 });
  const shown = make("output");
  return { input, shown, row: make("label", {}, make("span", { textContent: label }), input, shown) };
}

class PathPlot {
  constructor(picture, files) {
    this.files = files;
    this.surface = make("select", {}, ...Object.keys(files).map((name) => new Option(name)));
    this.rate = slider("Learning rate");
    this.step = slider("Step");
    this.button = make("button", { type: "button", textContent: "Play", className: "md-button" });
    this.canvas = make("canvas", { role: "img" });
    this.choices = make("fieldset", {}, make("legend", { textContent: "Distance to the optimum" }));
    this.note = make("p");
    const controls = make("div", { className: "controls" },
      make("label", {}, make("span", { textContent: "Surface" }), this.surface),
      this.rate.row, this.step.row, this.button);
    this.root = make("div", { className: "path-plot" }, this.canvas, controls, this.choices, this.note);
    picture.replaceWith(this.root);
    this.surface.addEventListener("change", () => this.load());
    for (const { input } of [this.rate, this.step])
      input.addEventListener("input", () => { this.stop(); this.draw(); });
    this.button.addEventListener("click", () => (this.timer ? this.stop() : this.play()));
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    new MutationObserver(() => this.draw()).observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
    this.load();
  }

  async load() {
    this.stop();
    const data = await (await fetch(this.files[this.surface.value])).json();
    data.grid = decode(data.grid);
    for (const name in data.paths) data.paths[name] = data.paths[name].map(decode);
    this.note.textContent = `${this.surface.value}: ${data.shows}.`;
    if (!this.data) {
      this.addChoices(Object.keys(data.paths));
      Object.assign(this.rate.input, { max: data.rates.length - 1, value: data.rates.indexOf(0.1) });
      Object.assign(this.step.input, { max: data.steps, value: data.steps });
    }
    this.data = data;
    this.draw();
  }

  addChoices(names) {
    this.boxes = names.map((name, i) => {
      const box = make("input", { type: "checkbox", checked: i < 3 });
      const color = make("i"), distance = make("output");
      box.addEventListener("change", () => this.draw());
      this.choices.append(make("label", {}, box, color, make("code", { textContent: name }), distance));
      return { name, box, color, distance };
    });
  }

  play() {
    const last = this.data.steps;
    const from = Number(this.step.input.value) % last, start = performance.now();
    const frame = (now) => {
      const step = Math.min(last, from + Math.floor((now - start) / 60));
      this.step.input.value = step;
      this.draw();
      this.timer = step < last ? requestAnimationFrame(frame) : 0;
      this.button.textContent = this.timer ? "Stop" : "Play";
    };
    this.timer = requestAnimationFrame(frame);
  }

  stop() {
    cancelAnimationFrame(this.timer);
    this.timer = 0;
    this.button.textContent = "Play";
  }

  draw() {
    const { data, canvas } = this;
    if (!data || !canvas.clientWidth) return; // the observer of its size draws later
    const theme = THEMES[document.body.dataset.mdColorScheme === "slate" ? "dark" : "light"];
    const scale = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * scale), height = Math.round(width * 0.66);
    if (canvas.width !== width) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    context.putImageData(this.background(context, width, height, theme), 0, 0);
    const step = Number(this.step.input.value), rate = Number(this.rate.input.value);
    this.rate.shown.textContent = data.rates[rate];
    this.step.shown.textContent = step;
    const [left, right, bottom, top] = data.window;
    const x = (value) => ((value - left) / (right - left)) * width;
    const y = (value) => (1 - (value - bottom) / (top - bottom)) * height;
    const shown = [];
    let start;
    this.boxes.forEach(({ name, box, color, distance }, i) => {
      const path = data.paths[name][rate];
      // Stored coordinates cover the window and half of it on each side.
      const point = (t) => [
        left + (2 * path[2 * t] - 0.5) * (right - left), bottom + (2 * path[2 * t + 1] - 0.5) * (top - bottom)];
      const end = point(step);
      const far = Math.min(...data.optima.map((o) => Math.hypot(end[0] - o[0], end[1] - o[1])));
      const gone = [path[2 * step], path[2 * step + 1]].some((share) => share <= 0 || share >= 1);
      distance.textContent = gone ? "outside" : far.toFixed(2);
      color.style.background = theme.lines[i];
      if (!box.checked) return;
      shown.push(`${name} ${distance.textContent}`);
      const points = Array.from({ length: step + 1 }, (_, t) => point(t)).map(([a, b]) => [x(a), y(b)]);
      // The first lines are the widest, so that overlaps show.
      this.line(context, points, (5 - 0.7 * i) * scale, theme.rim, theme.lines[i]);
      start = points[0];
    });
    if (start) this.square(context, ...start, 5 * scale, theme);
    for (const [a, b] of data.optima) this.star(context, x(a), y(b), 9 * scale, theme);
    canvas.setAttribute("aria-label", `Paths on ${this.surface.value}, learning rate ${data.rates[rate]}, ` +
      `distance to the optimum after step ${step}: ${shown.join(", ") || "no optimizer is selected"}`);
  }

  // Bands of equal log loss, interpolated between the points of the grid.
  background(context, width, height, { low, high }) {
    const image = context.createImageData(width, height), grid = this.data.grid;
    const size = Math.sqrt(grid.length), pixels = image.data;
    for (let row = 0, at = 0; row < height; row++) {
      const v = (1 - row / (height - 1)) * (size - 1), j = Math.min(size - 2, Math.floor(v)), q = v - j;
      for (let column = 0; column < width; column++, at += 4) {
        const u = (column / (width - 1)) * (size - 1), i = Math.min(size - 2, Math.floor(u)), p = u - i;
        const k = j * size + i;
        const value = (grid[k] * (1 - p) + grid[k + 1] * p) * (1 - q) +
          (grid[k + size] * (1 - p) + grid[k + size + 1] * p) * q;
        const share = Math.round(value * BANDS) / BANDS;
        for (let c = 0; c < 3; c++) pixels[at + c] = low[c] + share * (high[c] - low[c]);
        pixels[at + 3] = 255;
      }
    }
    return image;
  }

  line(context, points, thick, rim, color) {
    context.lineJoin = context.lineCap = "round";
    for (const [style, width] of [[rim, 1.5 * thick], [color, thick]]) {
      context.strokeStyle = style;
      context.lineWidth = width;
      context.beginPath();
      points.forEach(([a, b], t) => (t ? context.lineTo(a, b) : context.moveTo(a, b)));
      context.stroke();
    }
    context.beginPath();
    context.arc(...points.at(-1), 1 + 1.6 * thick, 0, 2 * Math.PI);
    this.fill(context, color, rim);
  }

  fill(context, color, rim) {
    context.fillStyle = color;
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = rim;
    context.stroke();
  }

  square(context, x, y, half, { rim, ink }) {
    context.beginPath();
    context.rect(x - half, y - half, 2 * half, 2 * half);
    this.fill(context, rim, ink);
  }

  star(context, x, y, radius, { rim, ink }) {
    context.beginPath();
    for (let corner = 0; corner < 10; corner++) {
      const angle = (corner * Math.PI) / 5, length = corner % 2 ? 0.45 * radius : radius;
      context.lineTo(x + length * Math.sin(angle), y - length * Math.cos(angle));
    }
    context.closePath();
    this.fill(context, ink, rim);
  }
}

const picture = document.querySelector('img[src$="pictures/paths.png"]');
if (picture) {
  const names = ["beale", "quadratic", "logistic"];
  const at = (name) => picture.src.replace(/paths\.png$/, `paths.${name}.json`);
  new PathPlot(picture.closest("a") ?? picture, Object.fromEntries(names.map((name) => [name, at(name)])));
}
