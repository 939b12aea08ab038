// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
// node served_test.cjs SPIGA WORK: the page of `spiga serve` in a browser. In the project's root.
const fs = require("fs");
const path = require("path");
const { assert, finish, saved, start, waitForText, withPage } = require("./browser.cjs");

const [spiga, work] = process.argv.slice(2);
const kPicture = "samples/astronaut.jpg";

const json = (bytes) => JSON.parse(bytes.toString());

// Mean squared difference of two pictures in an area.
const kHead = [160, 40, 130, 150], kAxes = [222, 40, 40, 40];
const difference = (page, area, ...pictures) =>
  page.evaluate(async ([area, ...files]) => {
    const [a, b] = await Promise.all(files.map(async (file) => {
      const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(file), (c) => c.charCodeAt(0))]));
      const context = Object.assign(document.createElement("canvas"), { width: bitmap.width, height: bitmap.height }).getContext("2d");
      context.drawImage(bitmap, 0, 0);
      return context.getImageData(...area).data;
    }));
    return a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length;
  }, [area, ...pictures.map((picture) => picture.toString("base64"))]);

async function asksForTheToken(page) {
  await page.setInputFiles("#file", kPicture);
  await waitForText(page, "#error", "access token");
  assert.strictEqual(await page.evaluate(() => document.activeElement.id), "token");
  await page.keyboard.type("secret");
  await page.keyboard.press("Enter");
}

async function showsTheFace(page, url) {
  await waitForText(page, "#status", "^1 face found");
  const headers = { Authorization: "Bearer secret" };
  const body = fs.readFileSync(kPicture);
  const answer = await (await fetch(url + "v1/analyze", { method: "POST", body, headers })).json();
  const cells = await page.locator("#faces tr").first().locator("td").allTextContents();
  const { yaw_deg, pitch_deg, roll_deg } = answer.faces[0].headpose;
  [yaw_deg, pitch_deg, roll_deg].forEach((angle, i) =>
    assert(Math.abs(Number(cells[i].replace("−", "-")) - angle) < 0.06, `${cells[i]} is not ${angle}`));
  const kept = await saved(page, "#save-json");
  assert.strictEqual(kept.name, "astronaut.json");
  assert.deepStrictEqual(json(kept.bytes).faces, answer.faces);

  // Drawn as the program itself draws.
  const overlay = Buffer.from(await (await fetch(url + "v1/analyze?overlay=1", { method: "POST", body, headers })).arrayBuffer());
  const picture = await saved(page, "#save-picture");
  assert.strictEqual(picture.name, "astronaut-faces.jpg");
  await page.uncheck("#axes");
  const withoutAxes = await saved(page, "#save-picture");
  await page.check("#axes");
  const faces = [await difference(page, kHead, picture.bytes, overlay), await difference(page, kHead, body, overlay)];
  const axes = [await difference(page, kAxes, picture.bytes, overlay), await difference(page, kAxes, withoutAxes.bytes, overlay)];
  console.log({ faces, axes });
  for (const [drawn, undrawn] of [faces, axes]) assert(drawn < 0.15 * undrawn);
}

async function saysWhatIsWrong(page) {
  const text = path.join(work, "text.txt");
  fs.writeFileSync(text, "no picture");
  await page.setInputFiles("#file", text);
  await waitForText(page, "#error", "not a picture that can be read");
  assert(await page.isHidden("#results"));
  assert(await page.isHidden("#canvas"));
}

// A busy server is asked again; the picture comes by drag and drop this time.
async function waitsForABusyServer(page) {
  await page.route("**/v1/analyze", (route) =>
    route.fulfill({ status: 429, headers: { "Retry-After": "1" }, json: { error: "too many" } }), { times: 1 });
  await page.evaluate(async (bytes) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], "dropped.jpg"));
    document.getElementById("stage").dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
  }, fs.readFileSync(kPicture).toString("base64"));
  await waitForText(page, "#status", "busy: trying again");
  await waitForText(page, "#status", "^1 face found");
}

async function watchesTheCamera(page) {
  await page.click("#camera");
  await waitForText(page, "#status", "^No face found.*pictures a second");
  assert(await page.isVisible("#canvas"));
  assert.strictEqual(await page.textContent("#error"), "");
  await page.click("#camera");
  await waitForText(page, "#status", "camera is off");
}

async function fitsANarrowScreen(page) {
  await page.setViewportSize({ width: 320, height: 640 });
  assert(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
}

finish(async () => {
  fs.mkdirSync(work, { recursive: true });
  const server = await start(spiga, ["serve", "--port", "0", "--threads", "1", "--precision", "f32"], { SPIGA_TOKEN: "secret" }, /(http:\S+)/);
  const url = server.found + "/";
  try {
    await withPage(new URL(url).host, async (page, problems) => {
      await page.goto(url);
      await waitForText(page, "#about", "landmarks");
      await page.keyboard.press("Tab");
      assert.strictEqual(await page.evaluate(() => document.activeElement.id), "choose");
      await asksForTheToken(page);
      await showsTheFace(page, url);
      await saysWhatIsWrong(page);
      await waitsForABusyServer(page);
      await fitsANarrowScreen(page);
      await watchesTheCamera(page);
      const others = problems.filter((text) => !/status of 4(01|15|29)/.test(text));
      assert.deepStrictEqual(others, []);
    });
  } finally {
    server.child.removeAllListeners("exit");
    server.child.kill();
  }
});
