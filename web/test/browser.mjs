// The viewer's pages in Chromium: node browser.mjs FOLDER CHROMIUM. Prints TAP.

import { runTests } from "./chromium.mjs";
import "./viewer/profile.mjs";
import "./viewer/hostile.mjs";
import "./viewer/changes.mjs";
import "./viewer/lines.mjs";
import "./viewer/jit.mjs";
import "./viewer/big.mjs";
import "./viewer/chart.mjs";
import "./viewer/sight.mjs";

await runTests(process.argv[3]);
