// The topology drawn: topics and streams as boxes in layers, each to the right of what it reads; in
// a narrow page below it. The lines between them are SVG.

import { attribute, child, element, keep, text } from "./element.js";
import { steps, summary } from "./streams.js";
import { lag, rate } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

/** Topics and streams, and what leads to what, by name. */
export function graph(topology) {
  const nodes = new Map();
  const edges = [];
  const node = (key, more) => {
    if (!nodes.has(key)) nodes.set(key, { key, layer: 0, ...more });
    return key;
  };
  for (const step of steps(topology)) {
    const own = node(`step ${step.name}`, { step });
    for (const topic of step.from) edges.push([node(`topic ${topic}`, { topic }), own]);
    for (const topic of step.to) edges.push([own, node(`topic ${topic}`, { topic })]);
  }
  // Each is one layer after the last of what leads to it; more rounds than nodes would be a circle.
  for (let round = 0; round < nodes.size; round += 1) {
    let moved = false;
    for (const [from, to] of edges) {
      const least = nodes.get(from).layer + 1;
      if (nodes.get(to).layer < least) {
        nodes.get(to).layer = least;
        moved = true;
      }
    }
    if (!moved) break;
  }
  return { nodes: [...nodes.values()], edges };
}

/** The place of each in one column: each soon after what it reads, so that lines stay short. */
function places({ nodes, edges }) {
  const placed = new Map();
  const place = (key) => {
    const readers = edges.filter(([from]) => from === key).map(([, to]) => to);
    placed.set(key, placed.size);
    for (const reader of readers) {
      const read = edges.filter(([, to]) => to === reader).map(([from]) => from);
      if (!placed.has(reader) && read.every((from) => placed.has(from))) place(reader);
    }
  };
  for (const { key, layer } of nodes) if (layer === 0) place(key);
  // What is in a circle has no beginning.
  for (const { key } of nodes) if (!placed.has(key)) place(key);
  return placed;
}

export class GraphView {
  #root;
  #lines;
  #layers;
  #edges = [];
  #busy = new Set();

  constructor(root) {
    this.#root = root;
    this.#lines = root.querySelector(".edges");
    this.#layers = root.querySelector(".layers");
    new ResizeObserver(() => this.#draw()).observe(root);
  }

  show(topology, rates, now) {
    const { nodes, edges } = graph(topology);
    this.#busy.clear();
    const column = places({ nodes, edges });
    const used = [...new Set(nodes.map((node) => node.layer))].sort((a, b) => a - b);
    keep(this.#layers, new Set(used.map(String)));
    for (const number of used) {
      const layer = child(this.#layers, String(number), () => element("ul", "layer"));
      const own = nodes.filter((node) => node.layer === number);
      keep(layer, new Set(own.map((node) => node.key)));
      for (const node of own) {
        const item = child(layer, node.key, () => (node.step ? stepBox(node.step) : topicBox(node.topic)));
        item.style.order = column.get(node.key);
        if (node.step) this.#describe(item, node, rates, now);
      }
    }
    // Layers that were made later than one after them.
    const sorted = [...this.#layers.children].sort((a, b) => a.dataset.key - b.dataset.key);
    if (sorted.some((layer, index) => layer !== this.#layers.children[index])) this.#layers.append(...sorted);
    this.#edges = edges;
    this.#draw();
  }

  #describe(item, { key, step }, rates, now) {
    const { records, lagMs, outputs, missing, health } = summary(step);
    const perSecond = rates.of(key, outputs ?? 0, now);
    if (perSecond > 0) this.#busy.add(key);
    attribute(item, "data-health", health);
    text(item.querySelector(".box-rate"), rate(perSecond));
    const waiting = missing === 1 ? "1 partition waits" : `${missing} partitions wait`;
    text(item.querySelector(".box-lag"), missing > 0 ? waiting : lag(records, lagMs));
  }

  #draw() {
    const frame = this.#root.getBoundingClientRect();
    attribute(this.#lines, "viewBox", `0 0 ${frame.width} ${frame.height}`);
    const boxes = new Map();
    for (const item of this.#layers.querySelectorAll("li")) {
      const box = item.firstElementChild.getBoundingClientRect();
      boxes.set(item.dataset.key, {
        left: box.left - frame.left,
        right: box.right - frame.left,
        middle: box.top - frame.top + box.height / 2,
      });
    }
    const isNarrow = getComputedStyle(this.#layers).flexDirection === "column";
    const known = new Set();
    for (const [from, to] of this.#edges) {
      const key = `${from} ${to}`;
      known.add(key);
      const line = child(this.#lines, key, () => document.createElementNS(SVG, "path"));
      const [a, b] = [boxes.get(from), boxes.get(to)];
      attribute(line, "d", isNarrow ? beside(a, b) : across(a, b));
      attribute(line, "class", this.#busy.has(from) || this.#busy.has(to) ? "edge flows" : "edge");
    }
    keep(this.#lines, known);
  }
}

function across(a, b) {
  const bend = Math.max(24, (b.left - a.right) / 2);
  return `M ${a.right} ${a.middle} C ${a.right + bend} ${a.middle} ${b.left - bend} ${b.middle} ${b.left} ${b.middle}`;
}

/** Down the left side; the further it goes, the further out, so that lines stay apart. */
function beside(a, b) {
  const out = Math.min(44, 10 + Math.abs(b.middle - a.middle) / 14);
  return `M ${a.left} ${a.middle} C ${a.left - out} ${a.middle} ${b.left - out} ${b.middle} ${b.left} ${b.middle}`;
}

function topicBox(topic) {
  const name = element("span", "box-name", topic);
  return element("li", "", element("span", "box topic", element("span", "unseen", "Topic "), name));
}

function stepBox(step) {
  const link = element(
    "a",
    "box step",
    element("span", "unseen", step.kind === "stream" ? "Stream " : "Route "),
    element("span", "box-name", step.name),
    element("span", "box-lag"),
    " ",
    element("span", "box-rate"),
    element("span", "unseen", `, reads ${step.from.join(", ")}, writes ${step.to.join(", ")}`),
  );
  link.href = `#${step.kind}-${step.name}`;
  return element("li", "", link);
}
