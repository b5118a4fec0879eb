// esbuild puts this in place of the global wherever it is called.
export { setTimeout } from "./guard";
