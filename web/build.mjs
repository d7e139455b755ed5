// Bundles the viewer into one HTML file.
//
//     node build.mjs --list               what the file is made of, one path a line
//     node build.mjs VMPROF.WASM OUT      makes it
//     node build.mjs --tests OUTDIR       bundles src/**/*.test.ts for node's test runner
//
// The file asks nobody for anything: the policy in it allows the one script and
// the one style that it names by their hashes, and no request at all. The log
// goes where the mark is (src/page/page.c); base64 has no `<`, so neither the
// module nor a log can end its element.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const MARK = "<!--vmprof:log-->";

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

const sources = filesBelow(join(here, "src")).sort();

async function bundle() {
  const made = await build({
    entryPoints: [join(here, "src/main.tsx")],
    bundle: true,
    minify: true,
    write: false,
    outdir: "out",
    format: "iife",
    target: ["chrome90", "firefox113", "safari16.4"],
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    charset: "ascii",
    logLevel: "warning",
  });
  const text = (end) => made.outputFiles.find((file) => file.path.endsWith(end)).text.trim();
  return { script: text(".js"), style: text(".css") };
}

const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

async function makePage(wasmPath, out) {
  const { script, style } = await bundle();
  if (/<\/(script|style)/i.test(script + style)) throw new Error("the bundle would end its own element");
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)} 'wasm-unsafe-eval'`,
    `style-src ${hash(style)}`,
    "img-src data: blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const wasm = gzipSync(readFileSync(wasmPath), { level: 9 }).toString("base64");
  const html = readFileSync(join(here, "src/index.html"), "utf8")
    .replace("@POLICY@", () => policy)
    .replace("@STYLE@", () => style)
    .replace("@WASM@", () => wasm)
    .replace("@SCRIPT@", () => script);
  if (html.split(MARK).length !== 2) throw new Error("the mark for the log must be there once");
  writeFileSync(out, html);
}

async function makeTests(outdir) {
  await build({
    entryPoints: sources.filter((path) => path.endsWith(".test.ts")),
    bundle: true,
    outdir,
    outExtension: { ".js": ".mjs" },
    platform: "node",
    format: "esm",
    target: "node18",
    logLevel: "warning",
  });
}

const [first, second] = process.argv.slice(2);
if (first === "--list") {
  const all = [...sources, ...["build.mjs", "package-lock.json"].map((name) => join(here, name))];
  console.log(all.map((path) => relative(here, path)).join("\n"));
} else if (first === "--tests") {
  await makeTests(second);
} else {
  await makePage(first, second);
}
