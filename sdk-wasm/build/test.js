// Runs script/*.test.ts: `node test.js WORK`, called by `cargo xtask sdk`.

import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const [work] = process.argv.slice(2);
const scripts = join(import.meta.dirname, "../script");
const tests = readdirSync(scripts).filter((file) => file.endsWith(".test.ts"));
const outdir = join(work, "tests");
await build({
  entryPoints: tests.map((file) => join(scripts, file)),
  outdir,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  logLevel: "warning",
});
const files = tests.map((file) => join(outdir, file.replace(/ts$/, "mjs")));
const { status } = spawnSync(process.execPath, ["--test", "--test-reporter=dot", ...files], {
  stdio: "inherit",
});
process.exitCode = status ?? 1;
