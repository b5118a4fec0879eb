// Bundles the scripts around the wasm: `node bundle.js WORK DIST`, called by `cargo xtask sdk`.
// Names carry a hash of the content, so that they may be cached for ever; only footfall.js does not.

import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { minify } from "terser";

const [work, dist] = process.argv.slice(2);
const scripts = join(import.meta.dirname, "../script");

/** The most bytes, after brotli, that a visitor may have to download. */
const MOST = { loader: 1536, all: 16384 };

/** Has some modules come from elsewhere when they are imported by `import()`. */
const instead = (modules) => ({
  name: "instead",
  setup(build) {
    build.onResolve({ filter: /^\./ }, ({ kind, path }) => {
      const found = kind === "dynamic-import" && modules[basename(path)];
      return found || undefined;
    });
  },
});

/** Beside the tag they are files of their own, whose names may be cached for ever. */
const apart = ({ name }) => ({ path: `./${name}`, external: true });

const base64 = {
  name: "wasm",
  setup(build) {
    build.onResolve({ filter: /^footfall-wasm$/ }, () => ({ path: join(work, "footfall.wasm") }));
    build.onLoad({ filter: /\.wasm$/ }, async ({ path }) => ({
      contents: await readFile(path),
      loader: "base64",
    }));
  },
};

async function bundle(entry, options) {
  const result = await build({
    entryPoints: [join(scripts, entry)],
    bundle: true,
    minify: true,
    write: false,
    target: "es2020",
    charset: "utf8",
    logLevel: "warning",
    legalComments: "none",
    alias: { "footfall-twin": join(work, "twin.js") },
    ...options,
    plugins: [base64, ...(options?.plugins ?? [])],
  });
  return Buffer.from(result.outputFiles[0].contents);
}

/** What brotli likes best. */
const compress = {
  passes: 4,
  hoist_funs: true,
  unsafe_arrows: true,
  conditionals: false,
  if_return: false,
  lhs_constants: false,
  properties: false,
  sequences: false,
};

/** Browsers that know this hint compile all of a script off the main thread, instead of each function on it. */
const EAGER = "//# allFunctionsCalledOnLoad\n";

/** What every visitor downloads: terser takes a twentieth off what esbuild leaves. */
async function smallest(entry, options) {
  const script = (await bundle(entry, options)).toString();
  const module = options.format === "esm";
  const { code } = await minify(script, { module, toplevel: true, ecma: 2020, compress });
  return Buffer.from((module ? EAGER : "") + code);
}

async function write(name, content) {
  await writeFile(join(dist, name), content);
  return { name, content };
}

function hashed(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  return name.replace(/(\.\w+)$/, `-${hash}$1`);
}

function brotli(content) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
  return brotliCompressSync(content, { params }).length;
}

await mkdir(dist, { recursive: true });
const wasmBytes = await readFile(join(work, "footfall.wasm"));
const wasm = await write(hashed("footfall.wasm", wasmBytes), wasmBytes);
const vitalsBytes = await bundle("vitals.ts", { format: "esm" });
const vitals = await write(hashed("footfall-vitals.js", vitalsBytes), vitalsBytes);
const extrasBytes = await smallest("extras/all.ts", {
  format: "esm",
  plugins: [instead({ vitals: apart(vitals) })],
});
const extras = await write(hashed("footfall-extras.js", extrasBytes), extrasBytes);
const beside = { format: "esm", plugins: [instead({ all: apart(extras) })] };
const coreBytes = await smallest("core.ts", beside);
const core = await write(hashed("core.js", coreBytes), coreBytes);
const twinBytes = await bundle("twin.ts", beside);
const twin = await write(hashed("footfall-twin.js", twinBytes), twinBytes);
const define = {
  CORE_FILE: JSON.stringify(basename(core.name)),
  TWIN_FILE: JSON.stringify(basename(twin.name)),
  WASM_FILE: JSON.stringify(basename(wasm.name)),
};
const loader = await write("footfall.js", await smallest("tag.ts", { format: "iife", define }));
const privacy = await write(
  "footfall-privacy.js",
  await bundle("privacy.ts", { format: "iife", target: "es2022" }),
);

// The package: the same again, as files of fixed names, which bundlers put where they like.
const npm = [];
const plugins = [instead({ vitals: { path: join(scripts, "npm/no-vitals.ts") } })];
for (const [name, options] of [
  ["index"],
  ["external"],
  ["twin"],
  ["privacy", { target: "es2022" }],
  ["react", { external: ["@footfall/sdk", "react"], banner: { js: '"use client";' } }],
]) {
  const script = await bundle(`npm/${name}.ts`, { format: "esm", plugins, ...options });
  npm.push(await write(`${name}.js`, script));
}
npm.push(await write("vitals.js", vitalsBytes));
npm.push(await write("footfall.wasm", wasmBytes));

// What all of it may send, for people and programs.
await write("fields.json", await readFile(join(scripts, "../fields.json")));

const tag = [loader, core, wasm, extras, twin, vitals, privacy];
const integrity = Object.fromEntries(
  [...tag, ...npm].map(({ name, content }) => [
    name,
    "sha384-" + createHash("sha384").update(content).digest("base64"),
  ]),
);
await write("integrity.json", JSON.stringify(integrity, null, 2) + "\n");

for (const { name, content } of [...tag, ...npm]) {
  const sizes = [content.length, gzipSync(content, { level: 9 }).length, brotli(content)];
  const [raw, gzip, br] = sizes.map((size) => String(size).padStart(7));
  console.error(`    ${name.padEnd(28)}${raw} bytes${gzip} gzip${br} brotli`);
}
const sizes = { loader: brotli(loader.content) };
sizes.all = sizes.loader + brotli(core.content) + brotli(wasm.content);
console.error(`    ${"a page with the tag".padEnd(28)}${String(sizes.all).padStart(34)} brotli`);
for (const [what, most] of Object.entries(MOST)) {
  if (sizes[what] > most) {
    console.error(`bundle.js: ${what}: expected at most ${most} bytes of brotli, found ${sizes[what]}`);
    process.exitCode = 1;
  }
}
