// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
// What both pages have in common: pictures come in (dropped, chosen, pasted), faces are drawn and listed, JSON
// and picture go out.
import { drawFaces, drawMeshes } from "./drawing.js";

export const byId = (id) => document.getElementById(id);

const kSwitches = ["points", "edges", "axes", "box", "mesh"].filter(byId); // not every page has all

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

const kShownSide = 1400; // smaller pictures are shown larger, lines and all
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const signed = (value) => (value === null ? "–" : (value > 0 ? "+" : "") + value.toFixed(1)).replace("-", "−");

export class Viewer {
  // onPicture(blob, name) is called with whatever the user gives us.
  constructor(onPicture) {
    this.onPicture = onPicture;
    this.edges = []; // the model's
    this.triangles = null; // the mesh's, once it was asked for
    this.picture = null; // what is drawn under the faces
    this.result = null; // {source, width, height, faces}
    this.chosen = -1; // the face that is drawn stronger
    this.canvas = byId("canvas");
    this.context = this.canvas.getContext("2d");
    this.listen();
  }

  listen() {
    const file = byId("file"), stage = byId("stage");
    byId("choose").addEventListener("click", () => file.click());
    file.addEventListener("change", () => {
      if (file.files.length) this.onPicture(file.files[0], file.files[0].name);
      file.value = ""; // the same file once more is a change, too
    });
    for (const kind of ["dragenter", "dragover"])
      document.addEventListener(kind, (event) => {
        event.preventDefault();
        stage.classList.add("over");
      });
    for (const kind of ["dragleave", "drop"])
      document.addEventListener(kind, (event) => {
        event.preventDefault();
        if (kind === "drop" || !event.relatedTarget) stage.classList.remove("over");
      });
    document.addEventListener("drop", (event) => this.take(event.dataTransfer));
    document.addEventListener("paste", (event) => this.take(event.clipboardData));
    for (const id of kSwitches) byId(id).addEventListener("change", () => this.draw());
    byId("save-json").addEventListener("click", () => this.saveJson());
    byId("save-picture").addEventListener("click", () => this.savePicture());
    addEventListener("resize", () => this.draw());
  }

  take(data) {
    if (data?.files.length) this.onPicture(data.files[0], data.files[0].name);
  }

  say(text, aside = "") {
    byId("error").textContent = "";
    const status = byId("status");
    if (status.firstChild?.textContent !== text) status.replaceChildren(text, document.createElement("small"));
    if (status.lastElementChild) {
      status.lastElementChild.ariaHidden = "true"; // changes with every frame of a camera
      status.lastElementChild.textContent = aside;
    }
  }

  complain(text) {
    byId("error").textContent = text;
    byId("status").textContent = "";
  }

  // The picture (anything that a canvas can draw) without faces; null: none.
  showPicture(picture, width = 0, height = 0) {
    this.picture = picture;
    this.result = null;
    this.chosen = -1;
    this.canvas.hidden = !picture;
    byId("hint").hidden = Boolean(picture);
    byId("stage").classList.toggle("full", Boolean(picture));
    this.size = { width, height };
    this.scale = Math.min(3, Math.max(1, kShownSide / Math.max(width, height)));
    const shown = { width: Math.round(width * this.scale), height: Math.round(height * this.scale) };
    if (picture && (this.canvas.width !== shown.width || this.canvas.height !== shown.height))
      Object.assign(this.canvas, shown);
    this.update();
  }

  // {source, width, height, faces} of the picture that is shown.
  showFaces(result) {
    this.result = result;
    if (this.chosen >= result.faces.length) this.chosen = -1;
    this.update();
  }

  update() {
    const faces = this.result?.faces ?? [];
    byId("results").hidden = faces.length === 0;
    byId("save-json").disabled = !this.result;
    byId("save-picture").disabled = !this.picture;
    this.canvas.setAttribute("aria-label", !this.picture ? "No picture yet"
      : `Picture with ${faces.length === 1 ? "1 face" : faces.length + " faces"} drawn`);
    this.list(faces);
    this.draw();
  }

  list(faces) {
    const body = byId("faces");
    while (body.rows.length > faces.length) body.lastElementChild.remove();
    while (body.rows.length < faces.length) body.append(this.newRow(body.rows.length));
    faces.forEach((face, i) => {
      const { yaw_deg, pitch_deg, roll_deg } = face.headpose;
      const cells = [signed(yaw_deg), signed(pitch_deg), signed(roll_deg), face.score?.toFixed(2) ?? "–",
        face.uncertainty.length ? mean(face.uncertainty).toFixed(1) : "–"];
      cells.forEach((text, column) => (body.rows[i].cells[column + 1].textContent = text));
      body.rows[i].querySelector("button").ariaPressed = String(i === this.chosen);
    });
  }

  newRow(i) {
    const row = document.createElement("tr");
    const head = document.createElement("th"), button = document.createElement("button");
    head.scope = "row";
    button.textContent = i + 1;
    button.title = button.ariaLabel = `Show face ${i + 1}`;
    button.addEventListener("click", () => {
      this.chosen = this.chosen === i ? -1 : i;
      this.update();
    });
    head.append(button);
    row.append(head);
    for (let column = 0; column < 5; ++column) row.insertCell();
    return row;
  }

  draw() {
    if (!this.picture) return;
    const screenPixel = this.size.width / (this.canvas.clientWidth || this.canvas.width); // in the picture's
    this.context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    this.drawOn(this.context, 0.9 * screenPixel, this.chosen);
  }

  drawOn(context, least, chosen) {
    const show = Object.fromEntries(kSwitches.map((id) => [id, byId(id).checked]));
    context.drawImage(this.picture, 0, 0, this.size.width, this.size.height);
    if (show.mesh && this.triangles) drawMeshes(context, this.result, this.triangles);
    drawFaces(context, this.result?.faces ?? [], this.edges, show, least, chosen);
  }

  get stem() {
    return (this.result?.source || "picture").replace(/\.[^.]*$/, "");
  }

  saveJson() {
    save(new Blob([JSON.stringify(this.result) + "\n"], { type: "application/json" }), this.stem + ".json");
  }

  savePicture() {
    const canvas = Object.assign(document.createElement("canvas"), this.size);
    this.drawOn(canvas.getContext("2d"), 0.9, -1);
    canvas.toBlob((blob) => save(blob, this.stem + "-faces.jpg"), "image/jpeg", 0.93);
  }
}
