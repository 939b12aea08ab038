// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
// The page of `spiga serve`: sends pictures and camera frames to /v1/analyze and shows the answers.
import { Viewer, byId } from "./viewer.js";

const kFrameSide = 960; // camera frames are sent no larger than this
const kTries = 5; // of a picture while the server is busy

const viewer = new Viewer(analyzePicture);
let current = 0; // counts what the user asked for: answers to older questions are dropped
let again = null; // what to repeat once there is a token
let token = sessionStorage.getItem("spiga-token") ?? "";
let stream = null; // the camera's
let last = null; // {blob, name, meshed}: the picture that was asked about last, and whether with meshes

class Refused extends Error {
  constructor(status, message, seconds = 0) {
    super(message);
    this.status = status;
    this.seconds = seconds; // to wait before the next try
  }
}

const sleep = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));
const counted = (faces) => (faces.length === 0 ? "No face found." : faces.length === 1 ? "1 face found." : `${faces.length} faces found.`);

// The answer to one picture. Throws Refused.
async function ask(blob, name) {
  const form = new FormData();
  form.append("image", blob, name);
  let response;
  try {
    response = await fetch(byId("mesh").checked ? "v1/analyze?mesh=1" : "v1/analyze", { method: "POST", body: form, headers: token ? { Authorization: "Bearer " + token } : {} });
  } catch {
    throw new Refused(0, "The server cannot be reached, or refused the picture while it was being sent: it may be too large.");
  }
  if (response.ok) return response.json();
  const said = await response.json().then((body) => body.error, () => response.statusText);
  throw new Refused(response.status, said, Number(response.headers.get("Retry-After")) || 1);
}

// The same, patient with a busy server.
async function askPatiently(blob, name, question) {
  for (let tries = 1; ; ++tries) {
    try {
      return await ask(blob, name);
    } catch (error) {
      const busy = error.status === 429 || error.status === 503;
      if (!busy || tries === kTries || question !== current) throw error;
      viewer.say(`The server is busy: trying again in ${error.seconds} s …`);
      await sleep(error.seconds);
    }
  }
}

function explain(error) {
  switch (error.status) {
    case 400:
    case 415:
      return `This is not a picture that can be read (${error.message}).`;
    case 401:
      return token ? "The server does not accept this access token." : "This server asks for an access token.";
    case 413:
      return `This picture is too large for this server (${error.message}).`;
    case 429:
    case 503:
      return "The server is busy. Please try again in a moment.";
    default:
      return error.message;
  }
}

function complain(error, repeat) {
  viewer.complain(explain(error));
  byId("access").hidden = error.status !== 401;
  if (error.status !== 401) return;
  again = repeat;
  byId("token").focus();
}

async function analyzePicture(blob, name) {
  stopCamera();
  const question = ++current;
  last = { blob, name, meshed: byId("mesh").checked };
  viewer.say("Looking for faces …");
  const started = performance.now();
  const [bitmap, answer] = await Promise.allSettled([createImageBitmap(blob), askPatiently(blob, name, question)]);
  if (question !== current) return;
  byId("access").hidden = true;
  if (answer.status === "rejected") {
    const picture = bitmap.value ?? null;
    viewer.showPicture(picture, picture?.width, picture?.height);
    return complain(answer.reason, () => analyzePicture(blob, name));
  }
  const { width, height, faces } = answer.value;
  const picture = bitmap.value ?? document.createElement("canvas"); // a format that the browser does not know
  viewer.showPicture(picture, width, height);
  viewer.showFaces(answer.value);
  viewer.say(counted(faces), ` ${Math.round(performance.now() - started)} ms, ${width} × ${height} pixels`);
}

async function startCamera() {
  if (!navigator.mediaDevices) return viewer.complain("The browser gives a camera only to pages from localhost or over HTTPS.");
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, facingMode: "user" } });
  } catch (error) {
    return viewer.complain(error.name === "NotFoundError" ? "There is no camera." : `The camera cannot be used (${error.message}).`);
  }
  last = null;
  setCameraButton(true);
  const video = document.createElement("video");
  video.muted = video.playsInline = true;
  video.srcObject = stream;
  await video.play();
  watch(video, stream, ++current);
}

function stopCamera() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  setCameraButton(false);
}

function setCameraButton(on) {
  byId("camera").setAttribute("aria-pressed", on);
  byId("camera").textContent = on ? "Stop the camera" : "Start the camera";
}

function grab(video) {
  const scale = Math.min(1, kFrameSide / Math.max(video.videoWidth, video.videoHeight));
  const frame = document.createElement("canvas");
  frame.width = Math.round(scale * video.videoWidth);
  frame.height = Math.round(scale * video.videoHeight);
  frame.getContext("2d").drawImage(video, 0, 0, frame.width, frame.height);
  return frame;
}

// Frame after frame, each drawn with what was found in it, until the camera is stopped.
async function watch(video, source, question) {
  let seconds = 0; // per frame, smoothed
  while (stream === source && question === current) {
    const started = performance.now();
    const frame = grab(video);
    const blob = await new Promise((done) => frame.toBlob(done, "image/jpeg", 0.85));
    try {
      const answer = await ask(blob, "camera.jpg");
      if (stream !== source || question !== current) return;
      const spent = (performance.now() - started) / 1000;
      seconds = seconds ? 0.8 * seconds + 0.2 * spent : spent;
      viewer.showPicture(frame, frame.width, frame.height);
      viewer.showFaces(answer);
      viewer.say(counted(answer.faces), ` ${(1 / seconds).toFixed(0)} pictures a second`);
    } catch (error) {
      if (stream !== source || question !== current) return;
      complain(error, startCamera);
      if (error.status !== 429 && error.status !== 503) return stopCamera();
      await sleep(error.seconds);
    }
  }
}

byId("camera").addEventListener("click", () => {
  if (!stream) return startCamera();
  stopCamera();
  viewer.say("The camera is off.");
});

byId("access").addEventListener("submit", (event) => {
  event.preventDefault();
  token = byId("token").value;
  sessionStorage.setItem("spiga-token", token);
  again?.();
});

// Meshes are asked for where they are wanted; the triangles once.
byId("mesh").addEventListener("change", async () => {
  if (!byId("mesh").checked) return;
  try {
    viewer.triangles ??= (await fetch("v1/mesh").then((response) => (response.ok ? response.json() : Promise.reject()))).triangles;
  } catch {
    byId("mesh").checked = false;
    return viewer.complain("The server does not give its mesh. Please try again in a moment.");
  }
  if (last && !last.meshed) analyzePicture(last.blob, last.name);
  else viewer.draw();
});

const model = await fetch("v1/model").then((response) => response.json());
viewer.edges = model.edges;
byId("mesh").disabled = !model.face3d;
viewer.draw();
byId("about").textContent = `spiga ${model.version}, model of ${model.landmark_ids.length} landmarks (${model.database}).`;
