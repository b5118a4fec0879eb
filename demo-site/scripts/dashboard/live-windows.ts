// A stream's windows, kept up to date over a connection.

import { Connection, type State } from "./connection.ts";
import { type Count, type Stream, readCount, readCounts } from "./streams.ts";
import { Windows } from "./windows.ts";

export class LiveWindows {
  windows = new Windows();
  readonly connection: Connection;

  /** `span` is how far back the windows are wanted, in milliseconds; `top`, how many keys of each, or all. */
  constructor(base: string, stream: Stream, span: number, top: number | undefined, on: Listener) {
    const url = `${base}/v1/streams/${stream.name}`;
    let early: Count[] | undefined;
    this.connection = new Connection(`${url}/live`, "window", {
      // What changes while the query is under way comes live, so nothing is missed in between. What was
      // known before a lost connection is not: the processor may have started anew.
      open: async () => {
        early = [];
        const from = Date.now() - stream.size - span;
        const answer = await query(`${url}/windows?from=${from}&to=${Date.now() + 1}${top ? `&top=${top}` : ""}`);
        const windows = new Windows();
        [...readCounts(answer), ...early].forEach((count) => windows.add(count));
        early = undefined;
        this.windows = windows;
        on.change();
      },
      message: (data) => {
        const count = readCount(data);
        if (count) {
          early?.push(count);
          this.windows.add(count);
          on.change();
        }
      },
      state: on.state,
    });
  }
}

export interface Listener {
  change(): void;
  state(state: State, why: string): void;
}

async function query(url: string): Promise<unknown> {
  const answer = await fetch(url, { cache: "no-store" });
  if (!answer.ok) {
    throw new Error(`${url} answers ${answer.status}`);
  }
  return answer.json();
}
