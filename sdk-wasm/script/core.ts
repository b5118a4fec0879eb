import type { Event, Options, Properties, Status } from "../index";
import { readAddressOptions } from "./address";
import { clicked, type Click } from "./clicks";
import { Call } from "./code";
import { context } from "./context";
import { arrive, leave, scrolled, watchEyes } from "./engagement";
import { clearCommon, forget, isName, record, release, setCommon, setFilter, waiting } from "./events";
import { extras, fetchExtras, say } from "./extras";
import { submitted } from "./forms";
import type { Waiting } from "./footfall";
import { connect, imports } from "./glue";
import { enter, isBroken, onBroken } from "./guard";
import { readable } from "./readable";
import { connectTo, disarm, halt, pump } from "./sender";
import { captures, debugs, object, set, wantsExtras } from "./settings";
import { close, keep, leaveTrapped, look, open, rest } from "./shelf";
import { attempt, PREFIX } from "./store";
import { typing } from "./typed";
import { newId } from "./uuid";
import { settle, shown, viewed, watch } from "./views";
import { Word } from "./word";

/** Gives what the wasm, or its twin, exports, once it has what it imports. */
export type Instantiate = (
  imports: WebAssembly.Imports,
) => WebAssembly.Exports | Promise<WebAssembly.Exports>;

/** The wasm, or its twin, once it is there. */
export interface Core {
  start(options: Options, granted: boolean, approve: (event: Event) => Event | null): void;
  grant(): void;
  stop(): void;
  call(time: number, call: Waiting): void;
  flush(): Promise<void>;
  status(): Status | undefined;
}

let running = false;
let listening = false;
/** Whether the first view is still to be recorded. */
let unseen = false;
/** Whether the page is going, for good or into the back-forward cache. */
let going = false;

/** The wasm is there. A second one would need a wire of its own: a visitor who comes back gets the first. */
let ready: Promise<void> | undefined;

export async function load(instantiate: Instantiate, options: Options): Promise<Core> {
  set(options);
  const more = wantsExtras() && fetchExtras(debugs());
  await (ready ??= begin(instantiate));
  await more;
  return { start, grant, stop, call, flush, status };
}

async function begin(instantiate: Instantiate): Promise<void> {
  connect(await instantiate(imports));
}

function start(options: Options, granted: boolean, approve: (event: Event) => Event | null): void {
  setFilter(approve);
  setCommon(object("properties"));
  readAddressOptions();
  connectTo(options.endpoint);
  onBroken(() => {
    halt();
    leaveTrapped();
  });
  running = true;
  open(enter(Call.Start, context(), +granted, +captures("hash")) ?? "trap");
  if (isBroken()) {
    leaveTrapped();
  }
  if (!listening) {
    listening = true;
    listen(options.vitals);
  }
  // Both at once would be a long task.
  unseen = true;
  setTimeout(see);
}

/** Records the first view, before anything else. */
function see(): void {
  if (unseen && running) {
    unseen = false;
    shown();
  }
}

function grant(): void {
  release();
  enter(Call.Grant);
}

function stop(): void {
  running = false;
  forget();
  arrive();
  enter(Call.Stop);
  halt();
  close();
}

function call(time: number, [name, ...args]: Waiting): void {
  see();
  if (name === "click") {
    return clicked(args[0] as Click, time);
  }
  // A user may be a number.
  const [first, second] = args.map((arg) => (typeof arg === "number" ? String(arg) : arg));
  if ((name === "track" || name === "identify") && !isName(first)) {
    say(Word.NotAName, name, first);
  } else if (name === "track") {
    record("custom", { name: first as string, properties: copy(second) }, time);
  } else if (name === "properties") {
    setCommon(copy(first) ?? {});
  } else {
    settle();
    release();
    if (name === "page") {
      viewed(time, copy(first));
    } else if (name === "identify") {
      enter(Call.Identify, first as string);
      record("identify", { properties: copy(second) }, time);
    } else {
      clearCommon();
      enter(Call.Reset);
    }
  }
}

function flush(): Promise<void> {
  see();
  settle();
  release();
  enter(Call.Flush);
  return pump();
}

function status(): Status | undefined {
  if (isBroken()) {
    return { recording: false, reason: "stopped", queued: 0, lost: 0 };
  }
  const told: Status | undefined = attempt(() => JSON.parse(enter(Call.Status)!));
  return told && { ...told, queued: told.queued + waiting() };
}

/** Properties as they are now; what is no object, or cannot be JSON, is left out. */
function copy(properties: unknown): Properties | undefined {
  const json = attempt(() => JSON.stringify(properties));
  if (json?.startsWith("{")) {
    return JSON.parse(json);
  }
  if (properties != null) {
    say(Word.NotProperties, properties);
  }
  return undefined;
}

/** Calls back while events are recorded; nothing is thrown into the page. */
function on<E>(target: EventTarget, kinds: string, run: (event: E) => void): void {
  const listener = (event: unknown) => running && attempt(() => (see(), run(event as E)));
  for (const kind of kinds.split(" ")) {
    // On the window after the page's own listeners: what they record as the page goes is to go with it.
    target.addEventListener(kind, listener, target === document);
  }
}

function listen(vitals: Options["vitals"]): void {
  on(document, "click auxclick", clicked);
  on(document, "submit", submitted);
  on(document, "input", typing);
  on(document, "scroll", scrolled);
  on(window, "visibilitychange", () => {
    watchEyes();
    isHidden() ? left() : look();
  });
  on(window, "pagehide", () => {
    settle();
    leave();
    going = true;
    left();
  });
  on<PageTransitionEvent>(window, "pageshow", (event) => {
    if (event.persisted) {
      going = false;
      open(newId());
      shown();
    }
  });
  on(window, "online", flush);
  // Another tab has kept events, has heard of the server, or is another visitor.
  on<StorageEvent>(window, "storage", ({ key }) => {
    if (key?.startsWith(PREFIX)) {
      look();
      enter(Call.Refresh);
    }
  });
  if (captures("vitals")) {
    extras?.measureVitals(
      vitals,
      (name, value, rating) => running && record("vital", { name, properties: { value, rating } }),
      say,
    );
  }
  if (captures("errors")) {
    on<ErrorEvent | PromiseRejectionEvent>(window, "error unhandledrejection", (event) =>
      extras?.recordError(event, record, readable),
    );
  }
  watch(() => running);
}

function isHidden(): boolean {
  return document.visibilityState === "hidden";
}

/** The page may be gone in a moment. */
function left(): void {
  settle();
  release();
  disarm();
  enter(Call.Left);
  // Most browsers hide a page only after its pagehide.
  going && isHidden() ? rest() : keep();
}
