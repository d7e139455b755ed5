// The list of profiles in Chromium: node list.mjs CHROMIUM TOLD. Prints TAP.
//
// TOLD is JSON of tests/web/check_list.py: {url, ids, closed, secret, token}. With
// SHOTS=FOLDER pictures of the pages are left there.

import assert from "node:assert/strict";
import { join } from "node:path";

import { checkSight, runTests, test } from "./chromium.mjs";

const [executablePath, text] = process.argv.slice(2);
const told = JSON.parse(text);

/** Opens a page; what it asks of others, or complains of, makes the test fail. */
async function open(browser, url, { width = 1440, height = 900, scheme = "light" } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme });
  const page = await context.newPage();
  const origin = new URL(url).origin;
  const elsewhere = [];
  const asked = [];
  const complaints = [];
  page.on("request", (request) => {
    asked.push(request.url());
    if (!request.url().startsWith(origin) && !/^(blob|data):/.test(request.url())) elsewhere.push(request.url());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    // Chromium's own words for an error that the server told, which pages show in theirs.
    if (message.type() === "error" && !/status of 40[01] /.test(message.text())) complaints.push(message.text());
  });
  await page.goto(url);
  const close = async () => {
    assert.deepEqual(elsewhere, [], "no request leaves the server");
    assert.deepEqual(asked.filter((one) => one.includes(told.token)), [], "no URL has the token");
    assert.deepEqual(complaints, []);
    await context.close();
  };
  return { context, page, close };
}

const names = (page) => page.locator("#rows td:first-child a:first-of-type").allTextContents();
const rows = (page, n) => page.waitForFunction((want) => document.querySelectorAll("#rows tr").length === want, n);

async function check(page, what) {
  await checkSight(page, what);
  if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, `${what}.png`) });
}

for (const scheme of ["light", "dark"])
  for (const width of [1440, 390])
    test(`the list, a profile and the login are accessible, ${width} wide, ${scheme}`, async (browser) => {
      const { page, close } = await open(browser, `${told.url}/`, { width, scheme });
      await rows(page, 50);
      await check(page, `list-${width}-${scheme}`);
      await page.goto(`${told.url}/#/${told.ids.at(-2)}/details`);
      await page.locator("#hot tr").first().waitFor();
      await check(page, `details-${width}-${scheme}`);
      await close();
      const other = await open(browser, `${told.closed}/`, { width, scheme });
      await other.page.locator("#login").waitFor();
      await check(other.page, `login-${width}-${scheme}`);
      await other.close();
    });

test("the list has all profiles, newest first, in two parts", async (browser) => {
  const { page, close } = await open(browser, `${told.url}/`);
  await rows(page, 50);
  assert.deepEqual((await names(page)).slice(1, 2), ["viewer"]);
  await page.click("#more");
  await rows(page, told.ids.length);
  assert.equal((await names(page)).at(-1), "job 0");
  assert.ok(await page.locator("#more").isHidden());
  await close();
});

test("a search finds names, arguments, machines and labels", async (browser) => {
  const { page, close } = await open(browser, `${told.url}/`);
  await rows(page, 50);
  for (const [query, expected] of [
    ["serve.py", ["/srv/api/serve.py --port 81", "/srv/api/serve.py --port 80"]],
    ["web-1", ["/srv/api/serve.py --port 80"]],
    ["label:env:prod", ["/srv/api/serve.py --port 80"]],
    ["label:env", ["/srv/api/serve.py --port 81", "/srv/api/serve.py --port 80"]],
    ["label:kind:batch job.py\n7", []],
  ]) {
    await page.fill("#query", query);
    await rows(page, expected.length);
    assert.deepEqual(await names(page), expected, query);
  }
  assert.equal(await page.textContent("#message"), "There is no such profile.");
  await page.fill("#query", "");
  await rows(page, 50);
  await close();
});

test("names of programs are text", async (browser) => {
  const { page, close } = await open(browser, `${told.url}/`);
  await rows(page, 50);
  assert.equal(await page.locator("#rows b, #rows i, #rows script").count(), 0);
  assert.notEqual(await page.title(), "owned");
  await close();
});

test("labels and the name are changed, and found by", async (browser) => {
  const { page, close } = await open(browser, `${told.url}/#/${told.ids[3]}/details`);
  await page.waitForFunction(() => document.getElementById("new-name").value === "job 3");
  await page.fill("#new-name", "renamed");
  await page.fill("#new-labels", "stage: late\nplain");
  await page.click("#labels button");
  await page.waitForFunction(() => document.getElementById("message").textContent === "Saved.");
  assert.equal(await page.textContent("#name"), "renamed");
  await page.goto(`${told.url}/#/`);
  await page.fill("#query", "label:stage:late");
  await rows(page, 1);
  assert.deepEqual(await names(page), ["renamed"]);
  assert.deepEqual(await page.locator("#rows .label").allTextContents(), ["plain", "stage: late"]);
  await page.goto(`${told.url}/#/${told.ids[3]}/details`);
  await page.waitForFunction(() => document.getElementById("new-name").value === "renamed");
  await page.fill("#new-labels", "no good key: x");
  await page.click("#labels button");
  await page.waitForFunction(() => /label's key/.test(document.getElementById("message").textContent));
  await close();
});

test("a profile is deleted once that was confirmed", async (browser) => {
  const { page, close } = await open(browser, `${told.url}/#/${told.ids[4]}/details`);
  const asked = [];
  page.on("dialog", (dialog) => {
    asked.push(dialog.message());
    return asked.length === 1 ? dialog.dismiss() : dialog.accept();
  });
  await page.waitForFunction(() => document.getElementById("new-name").value === "job 4");
  await page.click("#remove");
  assert.equal(await page.textContent("#name"), "job 4");
  await page.click("#remove");
  await rows(page, 50);
  await page.fill("#query", "job.py");
  await page.click("#more");
  await page.waitForFunction(() => document.getElementById("more").hidden);
  assert.ok(!(await names(page)).includes("job 4"));
  assert.equal(asked.length, 2);
  await close();
});

test("a click opens the viewer, and the way back is the list", async (browser) => {
  const { page, close } = await open(browser, `${told.url}/`);
  await rows(page, 50);
  await page.click("text=viewer >> nth=0");
  await page.waitForSelector(".page");
  assert.equal(new URL(page.url()).pathname, `/profiles/${told.ids.at(-2)}`);
  await page.goBack();
  await rows(page, 50);
  await page.click("text=viewer >> nth=0");
  await page.click("text=‹ Profiles");
  await rows(page, 50);
  await close();
});

test("two profiles that are chosen are compared, the later with the earlier", async (browser) => {
  const { page, close } = await open(browser, `${told.url}/`);
  await rows(page, 50);
  const box = (name) => page.getByRole("checkbox", { name: `Compare ${name}`, exact: true });
  assert.ok(await page.locator("#compare").isHidden());
  assert.equal(await page.locator("#rows tr").first().getByRole("checkbox").count(), 0, "a jitlog has no page");
  await box("job 50").check();
  assert.match(await page.textContent("#compared"), /^job 50 .*: choose the profile to compare it with$/);
  await box("job 49").check();
  await box("viewer").focus();
  await page.keyboard.press("Space"); // a third one: the first chosen is let go
  assert.ok(!(await box("job 50").isChecked()));
  await check(page, "list-compare");
  await page.fill("#query", "viewer"); // what was chosen stays so
  await rows(page, 1);
  await page.click("#compared a");
  await page.waitForSelector(".page");
  const { pathname, search } = new URL(page.url());
  const ids = [told.ids.at(-2), told.ids[49]];
  assert.ok([`/profiles/${ids[0]}?before=${ids[1]}`, `/profiles/${ids[1]}?before=${ids[0]}`].includes(pathname + search));
  assert.match(await page.textContent(".head"), /compared with (job 49|viewer)/);
  await page.getByRole("tab", { name: "Changes" }).waitFor();
  await page.goBack();
  await rows(page, 50);
  await box("job 50").check();
  await page.click("#compare-none");
  assert.ok(await page.locator("#compare").isHidden());
  assert.ok(!(await box("job 50").isChecked()));
  await close();
});

test("a token opens list, details and viewer, and is kept from scripts", async (browser) => {
  const { context, page, close } = await open(browser, `${told.closed}/`);
  await page.locator("#login").waitFor();
  assert.ok(await page.locator("#list").isHidden());
  await page.fill("#token", "wrong");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => /not the token/.test(document.getElementById("message").textContent));
  assert.deepEqual(await context.cookies(), []);
  await page.fill("#token", told.token);
  await page.click("#login button");
  await rows(page, 1);
  const [cookie] = await context.cookies();
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, "Strict", "/"]);
  assert.ok(!cookie.value.includes(told.token));
  const kept = await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage }));
  assert.ok(!kept.includes(told.token) && !kept.includes(cookie.value), kept);
  await page.click("text=details >> nth=0");
  await page.locator("#hot tr").first().waitFor();
  await page.goto(`${told.closed}/#/${told.secret}`);
  await page.waitForSelector(".page");
  // Of another tab too, and after a look at the address by itself.
  const tab = await context.newPage();
  await tab.goto(`${told.closed}/profiles/${told.secret}`);
  await tab.waitForSelector(".page");
  await tab.close();
  await page.goto(`${told.closed}/`);
  await rows(page, 1);
  await page.click("#sign-out");
  await page.locator("#login").waitFor();
  assert.deepEqual(await context.cookies(), []);
  // A link to a profile leads to the login, and from there to the profile.
  await page.goto(`${told.closed}/profiles/${told.secret}`);
  await page.locator("#login").waitFor();
  await page.fill("#token", told.token);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".page");
  assert.equal(new URL(page.url()).pathname, `/profiles/${told.secret}`);
  await close();
});

await runTests(executablePath);
