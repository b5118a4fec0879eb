import type { Event, Footfall, Options, Reason } from "../index";
import { decide } from "./consent";
import type { Click } from "./clicks";
import type { Core } from "./core";
import { attempt, choice, choose, onChoice, sent, wipe } from "./store";

/** What a site may call before anything is loaded. */
export type Call = [name: "track" | "page" | "identify" | "reset" | "properties", ...args: unknown[]];

/** What waits for the core: calls, and clicks with their path, which no event has once it is over. */
export type Waiting = Call | [name: "click", event: Click];

/** The most that waits for the core. */
const MOST_WAITING = 1_000;

/** What the page has already: another of us, or a snippet that has queued calls for us. */
type Early = Partial<Footfall> & { q?: Call[] };

/** The interface of the site. Nothing is fetched or stored before the visitor's wish allows it. */
export function create(load: (options: Options) => Promise<Core>): Footfall {
  let options: Options | undefined;
  let filter: ((event: Event) => Event | null) | undefined;
  let loading: Promise<void> | undefined;
  /** While events are recorded. */
  let core: Core | undefined;
  let waiting: Array<[number, Waiting]> = [];
  let failed = false;

  const reason = (): Reason => {
    if (!options) {
      return "not_started";
    }
    const why = decide(choice(), [navigator, window] as object[], options.consent);
    return failed && why === "recording" ? "stopped" : why;
  };

  const start = () => {
    if (reason() !== "recording" || core) {
      return;
    }
    if ((document as { prerendering?: boolean }).prerendering) {
      document.addEventListener("prerenderingchange", start, { once: true });
      return;
    }
    if (!loading) {
      hear("addEventListener");
      loading = load(options!).then(run, fail).then(() => hear("removeEventListener"));
    }
  };

  const wait = (what: Waiting) => {
    if (waiting.length < MOST_WAITING) {
      waiting.push([Date.now(), what]);
    }
  };

  const clicked = (event: MouseEvent) => {
    const path = event.composedPath();
    wait(["click", { button: event.button, composedPath: () => path }]);
  };

  /** Begins to see clicks, or leaves that to the core. */
  const hear = (how: "addEventListener" | "removeEventListener") => {
    for (const kind of ["click", "auxclick"]) {
      document[how](kind, clicked as EventListener, true);
    }
  };

  const run = (loaded: Core) => {
    loading = undefined;
    if (reason() === "recording") {
      core = loaded;
      core.start(options!, choice() === "in", (event) => (filter ? filter(event) : event));
      waiting.forEach(([time, what]) => attempt(() => loaded.call(time, what)));
    }
    waiting = [];
  };

  const fail = (error: unknown) => {
    failed = true;
    loading = undefined;
    waiting = [];
    say(options, "not loaded:", error);
  };

  const stop = () => {
    core?.stop();
    core = undefined;
    waiting = [];
    wipe();
  };

  /** Does what the visitor wishes, who may have chosen in another tab, or while this page was away. */
  const follow = () => {
    if (reason() === "recording") {
      core ? choice() && core.grant() : start();
    } else if (core || /out|gpc|dnt/.test(reason())) {
      // What an earlier visit has left goes as well.
      stop();
    }
  };

  const call = (...call: Call) => {
    if (core) {
      attempt(() => core!.call(Date.now(), call));
    } else if (loading || (isOn(options?.hold) && reason() === "consent_required")) {
      wait(call);
    } else {
      say(options, call[0], "ignored:", reason());
    }
  };

  const begin = (wanted: Options) => {
    if (options) {
      say(options, "already started");
    } else if (wanted?.writeKey && wanted.endpoint) {
      options = wanted;
      follow();
      // The first listener for what is stored takes its time; what comes before it, `run` asks for.
      setTimeout(onChoice, 0, follow);
    } else {
      say(wanted, "not started: give writeKey and endpoint");
    }
  };

  /** Whoever came first has the page: from now on we are that one. */
  const join = (wanted: Options) => {
    const page = window as { footfall?: Early };
    const first = page.footfall;
    if (first?.init && first !== footfall) {
      filter && first.beforeSend?.(filter);
      Object.assign(footfall, first).init(wanted);
      return;
    }
    page.footfall = footfall;
    begin(wanted);
    for (const [name, ...args] of first?.q ?? []) {
      (footfall[name] as (...args: unknown[]) => void)?.(...args);
    }
  };

  const footfall: Footfall = {
    init(wanted) {
      // On a server there is nobody to track.
      if (typeof document !== "undefined") {
        attempt(() => join(wanted));
      }
      return footfall;
    },
    track: (name, properties) => call("track", name, properties),
    page: (properties) => call("page", properties),
    identify: (user, traits) => call("identify", user, traits),
    properties: (properties) => call("properties", properties),
    reset: () => call("reset"),
    optIn() {
      choose("in");
      follow();
    },
    optOut() {
      // In this order there is room for the choice, even where our own events have taken it all.
      stop();
      choose("out");
    },
    flush: async () => {
      await loading;
      await core?.flush();
    },
    beforeSend(wanted) {
      if (typeof wanted === "function") {
        filter = wanted;
      } else {
        say(options, "beforeSend takes a function");
      }
    },
    status() {
      const why = reason();
      return (
        core?.status() ?? { recording: why === "recording", reason: why, queued: waiting.length, lost: 0 }
      );
    },
    inspect: sent,
  };
  return footfall;
}

function say(options: Options | undefined, ...words: unknown[]): void {
  if (isOn(options?.debug)) {
    attempt(() => console.warn("footfall:", ...words));
  }
}

/** Whether an option is set: an attribute without a value says yes. */
function isOn(wish: unknown): boolean {
  return String(wish ?? false) !== "false";
}
