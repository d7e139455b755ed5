// What axe finds, in both themes, wide and narrow.

import { checkSight, test } from "../chromium.mjs";
import { open } from "./page.mjs";

for (const scheme of ["light", "dark"]) {
  for (const width of [1440, 390]) {
    test(`axe finds nothing, ${scheme}, ${width} pixels wide`, async (browser) => {
      const { page, close } = await open(browser, "diff", { scheme, width, hash: "#search=parse" });
      for (const tab of ["flame", "functions", "tree", "function", "chart", "changes"]) {
        await page.click(`#tab-${tab}`);
        if (tab === "functions") {
          await page.locator(".list-row").first().click();
          await page.click("text=Callers and lines");
          await page.click("#tab-functions");
        }
        await checkSight(page, tab);
      }
      await close();
      const jit = await open(browser, "jit", { scheme, width, hash: "#tab=jit" });
      await checkSight(jit.page, "traces");
      await jit.page.locator(".list-row").first().click();
      await checkSight(jit.page, "trace");
      await jit.page.click('.trace-line button:has-text("double")');
      await checkSight(jit.page, "traces of a function");
      await jit.close();
    });
  }
}
