// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
// Runs the exported model (docs/onnx.md) by ONNX Runtime Web on boxes that the user draws.
import * as ort from "./ort/ort.wasm.min.mjs";
import { tightBox } from "./drawing.js";
import { Viewer, byId } from "./viewer.js";

const kSmallestDrag = 8; // in pixels of the screen; less is a click

const viewer = new Viewer(openPicture);
let model = null; // model.json: what `spiga info --json` says
let session = null;
let busy = false;

async function load() {
  ort.env.wasm.numThreads = crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1;
  const get = async (name) => {
    const response = await fetch(name);
    if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
    return response;
  };
  model = await (await get("model.json")).json();
  session = await ort.InferenceSession.create(await (await get("model.onnx")).arrayBuffer(), { executionProviders: ["wasm"] });
  viewer.edges = model.edges;
  byId("about").textContent = `Model of ${model.landmark_ids.length} landmarks (${model.database}). ${model.licence}`;
}

async function openPicture(blob, name) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob);
  } catch {
    viewer.showPicture(null);
    byId("numbers").disabled = true;
    return viewer.complain(`${name}: this is not a picture that your browser can read.`);
  }
  viewer.showPicture(bitmap, bitmap.width, bitmap.height);
  viewer.showFaces({ source: name, width: bitmap.width, height: bitmap.height, faces: [] });
  byId("numbers").disabled = false;
  viewer.say("Drag a box over a face, from eyebrows to chin.");
}

// The network's input: B, G, R planes in [0, 1] of the square of the picture; black outside.
function crop(picture, { left, top, side }, size) {
  const canvas = Object.assign(document.createElement("canvas"), { width: size, height: size });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillRect(0, 0, size, size);
  context.imageSmoothingQuality = side > 2 * size ? "high" : "low"; // "low" is bilinear
  context.drawImage(picture, left, top, side, side, 0, 0, size, size);
  const pixels = context.getImageData(0, 0, size, size).data;
  const planes = new Float32Array(3 * size * size);
  for (let i = 0; i < size * size; ++i)
    for (let c = 0; c < 3; ++c) planes[c * size * size + i] = pixels[4 * i + 2 - c] / 255;
  return new ort.Tensor("float32", planes, [1, 3, size, size]);
}

// The face in the box {left, top, width, height}, as the service would describe it.
async function locate(picture, box) {
  const side = model.crop_margin * Math.max(box.width, box.height);
  const square = { left: box.left + (box.width - side) / 2, top: box.top + (box.height - side) / 2, side };
  const found = await session.run({ crop: crop(picture, square, model.config.input_size) });
  const landmarks = [];
  for (let i = 0; i < found.landmarks.data.length; i += 2)
    landmarks.push([found.landmarks.data[i] * side + square.left, found.landmarks.data[i + 1] * side + square.top]);
  const [yaw_deg, pitch_deg, roll_deg, ...translation] = found.pose.data;
  return {
    box: [box.left, box.top, box.width, box.height],
    score: 1,
    landmarks,
    uncertainty: Array.from(found.uncertainty.data, (value) => value * side),
    headpose: { yaw_deg, pitch_deg, roll_deg, translation },
  };
}

async function look(box) {
  if (!viewer.picture || busy) return;
  busy = true;
  viewer.say("Looking …");
  for (const side of ["left", "top", "width", "height"]) byId(side).value = Number(box[side].toFixed(1));
  try {
    await ready;
    const { picture, result } = viewer;
    const started = performance.now();
    let face = await locate(picture, box);
    if (byId("twice").checked) face = await locate(picture, tightBox(face.landmarks));
    if (viewer.picture !== picture) return;
    viewer.showFaces({ ...result, faces: [...result.faces, face] });
    viewer.say(`Face ${result.faces.length + 1} drawn.`, ` ${Math.round(performance.now() - started)} ms`);
  } catch (error) {
    viewer.complain(`This did not work: ${error.message}`);
  } finally {
    busy = false;
  }
}

// Boxes by mouse, pen and finger.
function listenToDrags(canvas) {
  let start = null;
  const placeOf = (event) => {
    const area = canvas.getBoundingClientRect(), { width, height } = viewer.size;
    const inside = (value, most) => Math.min(most, Math.max(0, value));
    return [inside(((event.clientX - area.left) / area.width) * width, width),
      inside(((event.clientY - area.top) / area.height) * height, height)];
  };
  const boxTo = ([x, y]) => ({ left: Math.min(start[0], x), top: Math.min(start[1], y), width: Math.abs(x - start[0]), height: Math.abs(y - start[1]) });
  canvas.addEventListener("pointerdown", (event) => {
    start = placeOf(event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!start) return;
    const { left, top, width, height } = boxTo(placeOf(event)), { context } = viewer;
    viewer.draw();
    context.lineWidth = (2 * viewer.size.width) / canvas.clientWidth;
    context.strokeStyle = "#fff";
    context.shadowColor = "#000";
    context.shadowBlur = 4;
    context.strokeRect(left, top, width, height);
    context.shadowBlur = 0;
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!start) return;
    const box = boxTo(placeOf(event));
    start = null;
    viewer.draw();
    if (Math.min(box.width, box.height) * canvas.clientWidth >= kSmallestDrag * viewer.size.width) look(box);
  });
  canvas.addEventListener("pointercancel", () => {
    start = null;
    viewer.draw();
  });
}

listenToDrags(viewer.canvas);
byId("where").addEventListener("submit", (event) => {
  event.preventDefault();
  look(Object.fromEntries(["left", "top", "width", "height"].map((side) => [side, byId(side).valueAsNumber])));
});
byId("whole").addEventListener("click", () => look({ left: 0, top: 0, ...viewer.size }));
byId("clear").addEventListener("click", () => {
  viewer.showFaces({ ...viewer.result, faces: [] });
  viewer.say("Drag a box over a face, from eyebrows to chin.");
});

const ready = load();
ready.then(
  () => viewer.picture || viewer.say("Ready for a picture."),
  (error) => viewer.complain(`The model cannot be loaded: ${error.message}`));
