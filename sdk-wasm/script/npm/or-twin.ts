import type { Options } from "../../index";
import type { Core } from "../core";

/**
 * Where WebAssembly is refused, the twin, if the site gives one. An `import()` of our own would make
 * two files of every site's bundle, which not every bundler is set up for.
 */
export function orTwin(core: Promise<Core>, options: Options): Promise<Core> {
  return core.catch(async (error) => {
    if (typeof options.twin !== "function") {
      throw error;
    }
    return (await options.twin()).load(options) as Promise<Core>;
  });
}
