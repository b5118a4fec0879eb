import type { Footfall, Options } from "../index";
import type { Core } from "./core";
import { create, type Call } from "./footfall";
import { compiled } from "./wasm";

/** Hashed names, put in by the build. */
declare const CORE_FILE: string;
declare const WASM_FILE: string;
declare const TWIN_FILE: string;

/** A snippet on the page may have queued calls here before we came. */
type Early = { q?: Call[] };

const page = window as { footfall?: Footfall & Early };
const script = document.currentScript as HTMLScriptElement | null;
if (script && (!page.footfall || page.footfall.q)) {
  const early = page.footfall?.q ?? [];
  const base = script.src.replace(/[^/]*$/, "");
  const wasm = async (): Promise<Core> => {
    // Both at once: the module would ask for the rest only after it has run.
    const [core, answer] = await Promise.all([import(base + CORE_FILE), fetch(base + WASM_FILE)]);
    return core.load(compiled(answer.arrayBuffer()));
  };
  const twin = async (): Promise<Core> => (await import(base + TWIN_FILE)).load();
  // Whether WebAssembly is allowed, a page learns only by trying.
  const load = () => ("twin" in script.dataset ? twin() : wasm().catch(twin));
  const endpoint = /^(https?:\/\/[^/]+)\/sdk\//.exec(script.src)?.[1];
  page.footfall = create(load);
  page.footfall.init({ endpoint, ...script.dataset } as unknown as Options);
  for (const [name, ...args] of early) {
    (page.footfall[name] as (...args: unknown[]) => void)?.(...args);
  }
}
