// What a page takes: node cost.mjs PAGE.html CHROMIUM. Prints milliseconds from
// the event to the frame that shows its outcome, by the page's own clock. A page of
// a big log shows a part of the tree first; what is done to it is measured when the
// whole of it is there.

import { chromium } from "playwright-core";

const [file, executablePath] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--headless", "--no-sandbox", "--disable-gpu"] });
const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, bypassCSP: true })).newPage();
const begin = Date.now();
await page.goto(`file://${file}`);
await page.waitForSelector(".page, .failure", { timeout: 120_000 });
console.log(`shown after ${Date.now() - begin}, file and all`);

// The page says nowhere that the whole tree is there: it has nothing to do any more then.
const IDLE = 400;
const busy = await page.evaluate(
  (idle) =>
    new Promise((done) => {
      const begin = performance.now();
      let last = 0;
      new PerformanceObserver((list) => {
        for (const task of list.getEntries()) last = Math.max(last, task.startTime + task.duration);
      }).observe({ type: "longtask", buffered: true });
      const look = () => (performance.now() - Math.max(begin, last) > idle ? done(last) : setTimeout(look, idle / 10));
      look();
    }),
  IDLE,
);
console.log(`nothing left to do after ${Math.round(busy)} of the page's clock`);

async function measure(label, action) {
  const took = await page.evaluate(
    (text) =>
      new Promise((done) => {
        const channel = new MessageChannel();
        const start = performance.now();
        channel.port1.onmessage = () => done(performance.now() - start);
        (0, eval)(text);
        requestAnimationFrame(() => channel.port2.postMessage(null));
      }),
    action,
  );
  console.log(`${label}: ${Math.round(took)}`);
}

const at = (x, y) => `{clientX: r.left + r.width * ${x}, clientY: r.top + ${y}, bubbles: true}`;
const mouse = (kind, x, y) =>
  `{const c = document.querySelector(".flame canvas"), r = c.getBoundingClientRect();` +
  `c.dispatchEvent(new MouseEvent("${kind}", ${at(x, y)}))}`;
const type = (text) =>
  `{const i = document.querySelector(".search input"); i.value = ${JSON.stringify(text)};` +
  `i.dispatchEvent(new Event("input", {bubbles: true}))}`;
const press = (label) => `[...document.querySelectorAll(".toggle")].find((b) => b.textContent === "${label}").click()`;

for (const x of [0.1, 0.3, 0.6]) {
  await measure("zoom", mouse("click", x, 50));
  await measure("zoom out", mouse("click", 0.5, 5));
}
for (const text of ["function_12", "lib", "/7$/"]) await measure(`search ${text}`, type(text));
await measure("hover", mouse("mousemove", 0.2, 50));
await measure("only my code (another tree)", press("Only my code"));
await measure("inverted (another tree)", press("Inverted"));
await measure("flame chart, opened", `document.getElementById("tab-chart").click()`);
for (let i = 0; i < 3; i++) await measure("flame chart, closer", `document.querySelector('[aria-label="Closer"]').click()`);
await browser.close();
