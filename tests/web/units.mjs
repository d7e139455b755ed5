// Types of the viewer, and the tests of what knows no page: prints TAP.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = join(dirname(fileURLToPath(import.meta.url)), "../../web");
const out = mkdtempSync(join(tmpdir(), "vmprof-web-"));

function run(args) {
  const done = spawnSync(process.execPath, args, { cwd: web, encoding: "utf8" });
  if (done.status !== 0) for (const line of (done.stdout + done.stderr).split("\n")) console.log(`# ${line}`);
  return done.status === 0;
}

const steps = [["types", () => run([join(web, "node_modules/typescript/bin/tsc"), "-p", web])]];
if (!run([join(web, "build.mjs"), "--tests", out])) throw new Error("the tests do not build");
for (const name of readdirSync(out, { recursive: true }))
  if (String(name).endsWith(".test.mjs")) steps.push([String(name), () => run(["--test", join(out, String(name))])]);
console.log(`1..${steps.length}`);
let bad = 0;
for (const [i, [name, step]] of steps.entries()) {
  const good = step();
  bad += good ? 0 : 1;
  console.log(`${good ? "ok" : "not ok"} ${i + 1} - ${name}`);
}
rmSync(out, { recursive: true });
process.exitCode = bad ? 1 : 0;
