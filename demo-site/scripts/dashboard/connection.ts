// One stream of server-sent events that comes back by itself, and the state of several of them.

export type State = "connecting" | "live" | "lost";

/** The state of all together: live only when each is. */
export function together(states: Iterable<State>): State {
  const all = new Set(states);
  return all.has("lost") ? "lost" : all.has("connecting") ? "connecting" : "live";
}

/** How long to wait before the next try, in milliseconds: doubling from half a second, to five seconds. */
export function backoff(failures: number): number {
  return Math.min(500 * 2 ** (failures - 1), 5_000);
}

/** How long the server gets to say why it refused a connection. */
const PATIENCE_MS = 1_000;

export interface Handlers {
  /** The connection is open. When this fails, the connection counts as failed too. */
  open(): Promise<void>;
  message(data: unknown): void;
  /** `why` says what the server answered, where it answered. */
  state(state: State, why: string): void;
}

/** The browser's own reconnecting gives up on an error answer, so this does it. */
export class Connection {
  #source: EventSource | undefined;
  #wanted = false;
  #timer = 0;
  #failures = 0;

  constructor(
    readonly url: string,
    readonly event: string,
    readonly handlers: Handlers,
  ) {}

  start(): void {
    this.#close();
    this.#wanted = true;
    if (this.#failures === 0) {
      this.handlers.state("connecting", "");
    }
    const source = new EventSource(this.url);
    this.#source = source;
    source.addEventListener("open", () => {
      this.handlers.open().then(
        () => this.#opened(source),
        () => this.#failed(source),
      );
    });
    source.addEventListener("error", () => this.#failed(source));
    source.addEventListener(this.event, ({ data }: MessageEvent<string>) => {
      this.handlers.message(JSON.parse(data));
    });
  }

  stop(): void {
    this.#wanted = false;
    this.#close();
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
  }

  #opened(source: EventSource): void {
    if (source === this.#source) {
      this.#failures = 0;
      this.handlers.state("live", "");
    }
  }

  #failed(source: EventSource): void {
    if (source !== this.#source) {
      return;
    }
    this.#close();
    this.#failures += 1;
    const failures = this.#failures;
    void refusal(this.url).then((why) => {
      if (this.#wanted && failures === this.#failures && this.#source === undefined) {
        this.handlers.state("lost", why);
        this.#timer = window.setTimeout(() => this.start(), backoff(failures));
      }
    });
  }
}

// An event source does not tell what was wrong; the same request made again does. It may also be answered well
// by now, which the next try will find out.
async function refusal(url: string): Promise<string> {
  const request = new AbortController();
  const patience = setTimeout(() => request.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(url, { signal: request.signal });
    const problem = answer.ok ? {} : ((await answer.json()) as { detail?: string });
    return problem.detail ?? "";
  } catch {
    return "";
  } finally {
    clearTimeout(patience);
    request.abort();
  }
}
