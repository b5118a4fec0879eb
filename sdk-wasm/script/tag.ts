import type { Footfall, Options } from "../index";
import type { Core } from "./core";
import { create, type Call } from "./footfall";

/** Hashed names, put in by the build. */
declare const CORE_FILE: string;
declare const WASM_FILE: string;

/** A snippet on the page may have queued calls here before we came. */
type Early = { q?: Call[] };

const page = window as { footfall?: Footfall & Early };
const script = document.currentScript as HTMLScriptElement | null;
if (script && (!page.footfall || page.footfall.q)) {
  const early = page.footfall?.q ?? [];
  const base = script.src.replace(/[^/]*$/, "");
  const load = async (): Promise<Core> => {
    // Both at once: the module would ask for the rest only after it has run.
    const wasm = fetch(base + WASM_FILE).then((answer) => answer.arrayBuffer());
    const core = await import(base + CORE_FILE);
    return core.load(wasm);
  };
  const endpoint = /^(https?:\/\/[^/]+)\/sdk\//.exec(script.src)?.[1];
  page.footfall = create(load);
  page.footfall.init({ endpoint, ...script.dataset } as unknown as Options);
  for (const [name, ...args] of early) {
    (page.footfall[name] as (...args: unknown[]) => void)?.(...args);
  }
}
