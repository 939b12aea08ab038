// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
// node standalone_test.cjs SPIGA WORK: the page that runs the exported model in the browser must see what the
// program sees. In the project's root.
const { execFileSync } = require("child_process");
const fs = require("fs");
const http = require("http");
const path = require("path");
const { assert, finish, modules, saved, waitForText, withPage } = require("./browser.cjs");

const [spiga, work] = process.argv.slice(2);
const kTypes = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml",
  ".json": "application/json", ".wasm": "application/wasm", ".onnx": "application/octet-stream" };

function serve(folder) {
  const server = http.createServer((request, response) => {
    const file = path.join(folder, request.url === "/" ? "index.html" : path.normalize(request.url));
    if (!fs.existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": kTypes[path.extname(file)] });
    fs.createReadStream(file).pipe(response);
  });
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
}

// What the program finds in the face's box.
function analyzed(face) {
  const boxes = path.join(work, "boxes.json");
  const picture = path.join(work, "astronaut.jpg");
  fs.copyFileSync("samples/astronaut.jpg", picture);
  fs.writeFileSync(boxes, JSON.stringify([{ imgpath: "astronaut.jpg", bbox: face.box }]));
  const line = execFileSync(spiga, ["analyze", "--boxes", boxes, "--precision", "f32", "--threads", "1", picture], { encoding: "utf8" });
  return JSON.parse(line).faces[0];
}

function compare(face) {
  const other = analyzed(face);
  const off = Math.max(...face.landmarks.map(([x, y], i) => Math.hypot(x - other.landmarks[i][0], y - other.landmarks[i][1])));
  const turned = Math.max(...["yaw_deg", "pitch_deg", "roll_deg"].map((angle) => Math.abs(face.headpose[angle] - other.headpose[angle])));
  const uncertainty = Math.max(...face.uncertainty.map((value, i) => Math.abs(value - other.uncertainty[i])));
  console.log({ off, turned, uncertainty });
  assert(off < 0.5 && turned < 0.5 && uncertainty < 0.3);
}

async function drag(page, from, to) {
  const area = await page.locator("#canvas").boundingBox();
  const at = ([x, y]) => [area.x + (x / 512) * area.width, area.y + (y / 512) * area.height];
  await page.mouse.move(...at(from));
  await page.mouse.down();
  await page.mouse.move(...at(to), { steps: 3 });
  await page.mouse.up();
}

finish(async () => {
  fs.mkdirSync(work, { recursive: true });
  execFileSync("scripts/browser_page.sh", [work], { env: { ...process.env, SPIGA: spiga }, stdio: ["ignore", "ignore", "pipe"] });
  const server = await serve(work);
  const host = `127.0.0.1:${server.address().port}`;
  await withPage(host, async (page, problems) => {
    await page.goto(`http://${host}/`);
    await waitForText(page, "#status", "Ready");
    await page.setInputFiles("#file", "samples/astronaut.jpg");
    await waitForText(page, "#status", "Drag a box");
    await drag(page, [172, 75], [280, 190]); // about the face
    await waitForText(page, "#status", "Face 1 drawn");
    await page.uncheck("#twice");
    for (const [side, value] of [["left", 150], ["top", 60], ["width", 130], ["height", 140.5]]) await page.fill("#" + side, String(value));
    await page.click("text=Look there");
    await waitForText(page, "#status", "Face 2 drawn");
    const { faces } = JSON.parse((await saved(page, "#save-json")).bytes.toString());
    assert.strictEqual(faces.length, 2);
    assert.deepStrictEqual(faces[1].box, [150, 60, 130, 140.5]);
    faces.forEach(compare);

    await page.click("text=Clear");
    assert(await page.isHidden("#results"));
    await page.click("text=Whole picture");
    await waitForText(page, "#status", "Face 1 drawn");
    await page.setInputFiles("#file", "samples/README.md");
    await waitForText(page, "#error", "not a picture");
    assert.deepStrictEqual(problems, []);
  });
  server.close();
});
