import type { Options } from "../index";
import type { Core } from "./core";
import { create } from "./footfall";
import { compiled } from "./wasm";

/** Hashed names, put in by the build. */
declare const CORE_FILE: string;
declare const WASM_FILE: string;
declare const TWIN_FILE: string;

const script = document.currentScript as HTMLScriptElement | null;
if (script) {
  const base = script.src.replace(/[^/]*$/, "");
  const wasm = async (options: Options): Promise<Core> => {
    // Both at once: the module would ask for the rest only after it has run.
    const [core, answer] = await Promise.all([import(base + CORE_FILE), fetch(base + WASM_FILE)]);
    return core.load(compiled(answer.arrayBuffer()), options);
  };
  const twin = async (options: Options): Promise<Core> => (await import(base + TWIN_FILE)).load(options);
  const { origin, pathname } = new URL(base);
  // Whether WebAssembly is allowed, a page learns only by trying.
  create((options) =>
    "twin" in script.dataset ? twin(options) : wasm(options).catch(() => twin(options)),
  ).init({
    endpoint: /^\/sdk\//.test(pathname) ? origin : undefined,
    ...script.dataset,
  } as unknown as Options);
}
