// The page: asks for the topology every second while somebody looks, and shows it.

import { attribute, part, text } from "./element.js";
import { GraphView } from "./graph.js";
import { overall, Rates } from "./streams.js";
import { showTables } from "./tables.js";
import { bytes, count, NONE, rate, span } from "./words.js";

const EVERY_MS = 1_000;
/** Longer than the processor itself waits for others. */
const PATIENCE_MS = 8_000;
/** Kafka is asked every two seconds or so; less than that is up to date. */
const OLD_MS = 5_000;

const view = new GraphView(part("graph"));
const rates = new Rates();

function state(name, words) {
  attribute(part("state"), "data-state", name);
  text(part("state"), words);
}

function show(topology) {
  const now = performance.now();
  const all = overall(topology);
  text(part("behind"), count(all.records));
  text(part("oldest"), all.records === 0 ? NONE : span(all.lagMs));
  text(part("rate"), rate(rates.of("all", all.outputs ?? 0, now)));
  text(part("late"), count(all.late));
  text(part("held"), `${count(all.entries)} entries, ${bytes(all.bytes)}`);
  const missing = topology.missing_instances.length;
  const answering = Math.max(topology.instances.length, 1);
  text(part("processes"), missing > 0 ? `${answering}, and ${missing} without an answer` : String(answering));
  view.show(topology, rates, now);
  showTables(part("streams"), topology);
  if (topology.stale_ms > OLD_MS) {
    state("lost", "Held up; the log and /readyz say why");
  } else if (missing > 0) {
    state("lost", missing === 1 ? "One process does not answer" : `${missing} processes do not answer`);
  } else {
    state("live", "Live");
  }
}

async function ask() {
  try {
    const answer = await fetch("v1/topology", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    show(await answer.json());
  } catch (error) {
    console.warn("the topology cannot be shown", error);
    state("lost", "No answer; trying again");
  }
}

function seen() {
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    look();
  });
}

for (;;) {
  await seen();
  await ask();
  await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
}
