// The picture of the README: picture.mjs WORK PAGE FILE
import { resolve } from "node:path";
import { launch } from "./launch.mjs";

const [work, page, file] = process.argv.slice(2);
const context = await launch(work);
const tab = await context.newPage();
await tab.setViewportSize({ width: 1280, height: 1900 });
await tab.emulateMedia({ colorScheme: "light" });
await tab.goto(`file://${resolve(page)}`);
await tab.screenshot({ path: file });
await context.close();
