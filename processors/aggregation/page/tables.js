// One panel for each stream, with a row for each partition that it reads.

import { attribute, child, element, keep, text } from "./element.js";
import { steps } from "./streams.js";
import { bytes, count, instant, lag, NONE, span } from "./words.js";

const STATES = { owned: "at work", restoring: "restoring", empty: "nothing yet", unknown: "nobody answers" };

/** A column's head, and what its cells say; where records are only given another key, some say nothing. */
const COLUMNS = [
  ["State", (row) => STATES[row.state] ?? row.state],
  ["Behind", (row) => (row.lag_records === undefined ? NONE : lag(row.lag_records))],
  ["Oldest", (row) => (row.lag_records === 0 ? NONE : span(row.lag_ms))],
  ["Stream time", (row) => instant(row.stream_time)],
  ["Results", (row, counts) => (counts ? count(row.outputs) : NONE)],
  ["Late", (row, counts) => (counts ? count(row.late) : NONE)],
  ["Duplicates", (row, counts) => (counts ? count(row.duplicates) : NONE)],
  ["Unusable", (row) => count(row.dead_letters)],
  ["Entries", (row) => count(row.entries)],
  ["Size", (row) => bytes(row.bytes)],
  ["Process", (row) => row.instance?.replace("http://", "") ?? NONE],
];

export function showTables(root, topology) {
  const all = steps(topology);
  keep(root, new Set(all.map((step) => `${step.kind} ${step.name}`)));
  for (const step of all) {
    const panel = child(root, `${step.kind} ${step.name}`, () => panelOf(step));
    const table = panel.querySelector("table");
    const topics = [...step.from, ...(step.via ? [step.via] : [])];
    for (const topic of topics) {
      const rows = step.partitions.filter((row) => row.topic === topic);
      const body = child(table, topic, () => bodyOf(topic, table.tHead.rows[0].cells.length));
      const known = new Set(["topic"]);
      for (const row of rows) {
        known.add(String(row.partition));
        const line = child(body, String(row.partition), () => rowOf(row.partition));
        fill(line, row, topic === topics.at(-1) || step.kind === "route");
      }
      keep(body, known);
    }
  }
}

function fill(line, row, counts) {
  attribute(line, "data-state", row.state);
  COLUMNS.forEach(([, words], index) => {
    const cell = line.cells[index + 1];
    text(cell, words(row, counts));
    cell.toggleAttribute("data-none", cell.textContent === NONE);
  });
}

function panelOf(step) {
  const title = element("h2", "", step.name);
  const via = step.via ? `, by way of ${step.via},` : "";
  const note = element("p", "note", `${step.from.join(" and ")}${via} to ${step.to.join(" and ") || "nowhere"}`);
  const heads = ["Partition", ...COLUMNS.map(([name]) => name)];
  const head = element("tr", "", ...heads.map((name) => role(element("th", "", name), "columnheader")));
  for (const cell of head.cells) cell.scope = "col";
  const table = role(element("table", "", element("thead", "", role(head, "row"))), "table");
  const section = element("section", "panel", title, note, table);
  section.id = `${step.kind}-${step.name}`;
  section.tabIndex = -1;
  title.id = `${section.id}-title`;
  for (const named of [section, table]) named.setAttribute("aria-labelledby", title.id);
  return section;
}

/** The partitions of one topic. */
function bodyOf(topic, columns) {
  const name = role(element("th", "", topic), "rowheader");
  name.colSpan = columns;
  name.scope = "rowgroup";
  const head = role(element("tr", "of-topic", name), "row");
  head.dataset.key = "topic";
  return role(element("tbody", "", head), "rowgroup");
}

function rowOf(partition) {
  const number = role(element("th", "number", String(partition)), "rowheader");
  number.scope = "row";
  number.dataset.head = "Partition";
  const cells = COLUMNS.map(([name]) => {
    const cell = role(element("td"), "cell");
    cell.dataset.head = name;
    return cell;
  });
  return role(element("tr", "", number, ...cells), "row");
}

/** Said outright, because a table that a narrow page lays out as a list is none to some readers. */
function role(of, name) {
  of.setAttribute("role", name);
  return of;
}
