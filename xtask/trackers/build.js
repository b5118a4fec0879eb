// Bundles each tracker into one script, as a site would: `node build.js OUT`, called by
// `cargo xtask bench sdk`.

import { build } from "esbuild";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const [outdir] = process.argv.slice(2);
const src = join(import.meta.dirname, "src");
await build({
  entryPoints: readdirSync(src).map((file) => join(src, file)),
  outdir,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2020",
  legalComments: "none",
  logLevel: "warning",
});
