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

// The mesh is asked for once it is wanted, and drawn as the program itself draws it.
async function showsTheMesh(page, url) {
  const headers = { Authorization: "Bearer secret" };
  const body = fs.readFileSync(kPicture);
  const canvas = () => page.evaluate((area) => {
    const shown = document.getElementById("canvas"), [left, top, width, height] = area, scale = shown.width / 512;
    const copy = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
    copy.drawImage(shown, scale * left, scale * top, scale * width, scale * height, 0, 0, width, height);
    return [...copy.getImageData(0, 0, width, height).data];
  }, kHead);
  const plain = await canvas();
  assert(!("face3d" in json((await saved(page, "#save-json")).bytes).faces[0]));
  const [answer] = await Promise.all([page.waitForResponse("**/v1/analyze?mesh=1"), page.check("#mesh")]);
  assert.strictEqual(answer.status(), 200);
  await waitForText(page, "#status", "^1 face found");
  const meshed = await canvas();
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const changed = mean(plain.map((value, i) => Math.abs(value - meshed[i])));
  assert(changed > 5, `the mesh changes the canvas by ${changed} only`);
  const { faces } = json((await saved(page, "#save-json")).bytes);
  assert.strictEqual(faces[0].mesh.pixels.length, 2 * faces[0].mesh.depth_mm.length);

  const post = async (query) => Buffer.from(await (await fetch(url + "v1/analyze?" + query, { method: "POST", body, headers })).arrayBuffer());
  const [overlay, without] = [await post("overlay=1&mesh=1"), await post("overlay=1")];
  const { bytes } = await saved(page, "#save-picture");
  const mesh = [await difference(page, kHead, bytes, overlay), await difference(page, kHead, without, overlay)];
  console.log({ changed, mesh });
  assert(mesh[0] < 0.15 * mesh[1]);

  await page.uncheck("#mesh");
  assert.deepStrictEqual(await canvas(), plain);
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
      await showsTheMesh(page, url);
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
