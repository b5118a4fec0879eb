import type { Options } from "../index";
import type { Core } from "./core";
import { create } from "./footfall";
import { compiled } from "./wasm";

/** Hashed names, put in by the build. */
declare const CORE_FILE: string;
declare const WASM_FILE: string;
declare const TWIN_FILE: string;
declare const VITALS_FILE: string;

const script = document.currentScript as HTMLScriptElement | null;
if (script) {
  const base = script.src.replace(/[^/]*$/, "");
  const wasm = async (): Promise<Core> => {
    // Both at once: the module would ask for the rest only after it has run.
    const [core, answer] = await Promise.all([import(base + CORE_FILE), fetch(base + WASM_FILE)]);
    return core.load(compiled(answer.arrayBuffer()));
  };
  const twin = async (): Promise<Core> => (await import(base + TWIN_FILE)).load();
  const { origin, pathname } = new URL(base);
  const vitals = () => import(base + VITALS_FILE);
  // Whether WebAssembly is allowed, a page learns only by trying.
  create(() => ("twin" in script.dataset ? twin() : wasm().catch(twin))).init({
    endpoint: /^\/sdk\//.test(pathname) ? origin : undefined,
    ...script.dataset,
    vitals,
  } as unknown as Options);
}
