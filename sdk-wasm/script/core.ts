import * as glue from "footfall-glue";
import type { Event, Options, Properties, Status } from "../index";
import type { Call } from "./footfall";
import { enter, isBroken, onBroken } from "./guard";
import { connect, told } from "./host";
import { connectTo, disarm, halt, pump } from "./sender";
import { warn } from "./settings";
import { close, keep, leaveTrapped, look, open, rest, resume } from "./shelf";
import { attempt, PREFIX } from "./store";

/** Gives what the wasm, or its twin, exports, once it has what it imports. */
export type Instantiate = (
  imports: WebAssembly.Imports,
) => WebAssembly.Exports | Promise<WebAssembly.Exports>;

/** The wasm, or its twin, once it is there. */
export interface Core {
  start(options: Options, granted: boolean, approve: (event: Event) => Event | null): void;
  grant(): void;
  stop(): void;
  call(time: number, call: Call): void;
  flush(): Promise<void>;
  status(): Status | undefined;
}

/** Names and users that are longer, in bytes, no gateway takes. */
const LONGEST_NAME = 128;

let listening = false;

export async function load(instantiate: Instantiate): Promise<Core> {
  glue.__wbg_set_wasm(await instantiate(glue.imports));
  glue.begin();
  return { start, grant, stop, call, flush, status };
}

function start(options: Options, granted: boolean, approve: (event: Event) => Event | null): void {
  connect(options, approve);
  connectTo(options.endpoint);
  onBroken(() => {
    halt();
    leaveTrapped();
  });
  open(enter(() => glue.start(document, granted)) ?? "trap");
  if (isBroken()) {
    leaveTrapped();
  }
  if (!listening) {
    listening = true;
    listen();
  }
}

function grant(): void {
  enter(glue.grant);
}

function stop(): void {
  enter(glue.stop);
  halt();
  close();
}

function call(time: number, [name, ...args]: Call): void {
  let text = "";
  if (name === "track" || name === "identify") {
    const first = args.shift();
    text = typeof first === "string" || typeof first === "number" ? String(first) : "";
    const bytes = new TextEncoder().encode(text).length;
    if (!bytes || bytes > LONGEST_NAME) {
      warn(name, "ignored: its first argument must be a text of 1 to 128 bytes, not", first);
      return;
    }
  }
  const properties = object(args[0]);
  enter(() => glue.call(name, time, text, properties));
}

function flush(): Promise<void> {
  enter(glue.flush);
  return pump();
}

function status(): Status | undefined {
  if (isBroken()) {
    return { recording: false, reason: "stopped", queued: 0, lost: 0 };
  }
  enter(glue.status);
  return told();
}

/** Properties as JSON; what is no object, or cannot be JSON, is left out. */
function object(properties: unknown): string {
  const json = attempt(() => JSON.stringify(properties as Properties));
  if (json?.startsWith("{")) {
    return json;
  }
  if (properties != null) {
    warn("properties left out: they must be an object that JSON can carry, not", properties);
  }
  return "";
}

function listen(): void {
  for (const kind of ["click", "auxclick"] as const) {
    document.addEventListener(kind, (event) => enter(() => glue.clicked(event)), true);
  }
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") {
      disarm();
      enter(glue.left);
      keep();
    } else {
      look();
    }
  });
  addEventListener("pagehide", () => {
    disarm();
    enter(glue.left);
    rest();
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) {
      resume();
      enter(glue.shown);
    }
  });
  addEventListener("online", flush);
  // Another tab has kept events, or has heard of the server.
  addEventListener("storage", (event) => {
    if (event.key?.startsWith(PREFIX)) {
      look();
      enter(glue.refresh);
    }
  });
  for (const kind of ["popstate", "hashchange"]) {
    addEventListener(kind, () => enter(() => glue.moved(false)));
  }
  watch("pushState");
  watch("replaceState");
}

/** Sees what the page does to its history, after it is done. */
function watch(name: "pushState" | "replaceState"): void {
  const original = history[name];
  history[name] = function (this: History, ...args: Parameters<History["pushState"]>) {
    original.apply(this, args);
    enter(() => glue.moved(name === "replaceState"));
  };
}
