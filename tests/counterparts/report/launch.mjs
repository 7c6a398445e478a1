// A browser that asks nobody for anything.
import { createRequire } from "node:module";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";

export const launch = async (work, options = {}) => {
  const { chromium } = createRequire(join(work, "package.json"))("playwright-core");
  return chromium.launchPersistentContext(mkdtempSync(join(work, "browser-")), {
    executablePath: process.env.CHROMIUM,
    headless: true,
    ...options,
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
};
