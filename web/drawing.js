// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
// Draws faces on a canvas as `spiga analyze --overlay` draws them (src/media/overlay.cc): contours, landmarks
// (the fainter, the less certain), corners of a box, and the head's axes.

const kWhite = "255 255 255";
const kShade = "12 16 24";
const kRed = "255 84 84", kGreen = "96 220 110", kBlue = "84 150 255";
const kParts = [["jaw", "120 220 232"], ["brow", "255 190 92"], ["nose", "168 230 120"], ["eye", "104 176 255"],
  ["outer_lip", "255 110 140"], ["inner_lip", "255 158 178"]];

const colourOf = (edge) => (kParts.find(([part]) => edge.includes(part)) ?? ["", kWhite])[1];

// The smallest box around the landmarks.
export function tightBox(points) {
  const xs = points.map((point) => point[0]), ys = points.map((point) => point[1]);
  const left = Math.min(...xs), top = Math.min(...ys);
  return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}

// Where an upright head's directions to the picture's right, up and out of the face point to: vectors in the
// camera's frame, x to the right, y down, z away (docs/head-pose.md).
export function headAxes({ yaw_deg, pitch_deg, roll_deg }) {
  const degree = Math.PI / 180;
  const a = -(yaw_deg - 90) * degree, b = -pitch_deg * degree, c = -(roll_deg + 90) * degree;
  const [sa, ca, sb, cb, sc, cc] = [Math.sin(a), Math.cos(a), Math.sin(b), Math.cos(b), Math.sin(c), Math.cos(c)];
  // Columns of R = Ry Rp Rr: the head's x (out of the face), y (to the picture's left) and z (down).
  const out = [ca * cb, sb, -sa * cb];
  const left = [-ca * sb * cc + sa * sc, cb * cc, sa * sb * cc + ca * sc];
  const down = [ca * sb * sc + sa * cc, -cb * sc, -sa * sb * sc + ca * cc];
  const opposite = (vector) => vector.map((value) => -value);
  return { right: opposite(left), up: opposite(down), out };
}

// A centripetal Catmull-Rom curve through the points.
function smoothCurve(points) {
  if (points.length < 3) return points;
  const pieces = 8;
  const mix = (p, q, t) => [p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])];
  const knot = (p, q) => Math.max(1e-3, Math.sqrt(Math.hypot(q[0] - p[0], q[1] - p[1])));
  const curve = [points[0]];
  for (let i = 0; i + 1 < points.length; ++i) {
    const p1 = points[i], p2 = points[i + 1];
    const p0 = points[i - 1] ?? mix(p1, p2, -1), p3 = points[i + 2] ?? mix(p1, p2, 2);
    const t1 = knot(p0, p1), t2 = t1 + knot(p1, p2), t3 = t2 + knot(p2, p3);
    for (let piece = 1; piece <= pieces; ++piece) {
      const t = t1 + ((t2 - t1) * piece) / pieces;
      const a1 = mix(p0, p1, t / t1), a2 = mix(p1, p2, (t - t1) / (t2 - t1)), a3 = mix(p2, p3, (t - t2) / (t3 - t2));
      curve.push(mix(mix(a1, a2, t / t2), mix(a2, a3, (t - t1) / (t3 - t1)), (t - t1) / (t2 - t1)));
    }
  }
  return curve;
}

function line(context, points, colour, width, opacity) {
  context.beginPath();
  points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.lineWidth = width;
  context.strokeStyle = `rgb(${colour} / ${opacity})`;
  context.stroke();
}

// Over a wider dark line, so that it shows on any skin and any light.
function shadedLine(context, points, colour, width, opacity) {
  line(context, points, kShade, 2 * width + Math.max(0, 1.2 - width), 0.32 * opacity);
  line(context, points, colour, width, opacity);
}

function disc(context, [x, y], radius, colour, opacity) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = `rgb(${colour} / ${opacity})`;
  context.fill();
}

function drawBox(context, tight, width) {
  const gap = 0.05 * Math.max(tight.width, tight.height);
  const left = tight.left - gap, top = tight.top - gap;
  const right = left + tight.width + 2 * gap, bottom = top + tight.height + 2 * gap;
  const arm = 0.16 * Math.min(right - left, bottom - top);
  for (const [x, y, dx, dy] of [[left, top, arm, arm], [right, top, -arm, arm], [left, bottom, arm, -arm],
    [right, bottom, -arm, -arm]])
    shadedLine(context, [[x + dx, y], [x, y], [x, y + dy]], kWhite, width, 0.75);
}

function drawPoints(context, face, radius, side) {
  face.landmarks.forEach((point, i) => {
    const opacity = Math.min(1, Math.max(0.5, 1 - (5 * (face.uncertainty[i] ?? 0)) / side));
    disc(context, point, radius + Math.max(0.7, 0.35 * radius), kShade, 0.5 * opacity);
    disc(context, point, radius, kWhite, opacity);
  });
}

// Seen from afar, from the middle of the forehead; what points away from us is drawn first.
function drawAxes(context, face, tight, width) {
  const { right, up, out } = headAxes(face.headpose);
  const side = Math.max(tight.width, tight.height);
  const origin = [tight.left + tight.width / 2 + 0.64 * side * up[0], tight.top + tight.height / 2 + 0.64 * side * up[1]];
  const axes = [[right, kRed], [up, kGreen], [out, kBlue]].sort(([a], [b]) => b[2] - a[2]);
  for (const [axis, colour] of axes) {
    const tip = [origin[0] + 0.3 * side * axis[0], origin[1] + 0.3 * side * axis[1]];
    shadedLine(context, [origin, tip], colour, width, 0.95);
    disc(context, tip, width, colour, 0.95);
  }
}

function drawNumber(context, number, tight, size) {
  const x = tight.left - 0.05 * tight.width, y = tight.top + tight.height + 0.08 * tight.height + size;
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.lineWidth = size / 4;
  context.strokeStyle = `rgb(${kShade} / 0.8)`;
  context.strokeText(number, x, y);
  context.fillStyle = `rgb(${kWhite})`;
  context.fillText(number, x, y);
}

const kMeshOpacity = 0.6;
const kMeshColour = [150, 220, 255]; // where the light comes straight from the camera

// The triangles of a mesh that look at the camera, the farthest first: {corners, depth, light}. `distance` is what
// the mesh's depths count from.
function facetsTowardsCamera({ pixels, depth_mm }, triangles, camera, distance) {
  const place = (v) => {
    const z = distance + depth_mm[v];
    return [((pixels[2 * v] - camera.cx) / camera.fx) * z, ((pixels[2 * v + 1] - camera.cy) / camera.fy) * z, z];
  };
  const places = depth_mm.map((_, v) => place(v));
  const facets = [];
  for (let t = 0; t < triangles.length; t += 3) {
    const corners = [triangles[t], triangles[t + 1], triangles[t + 2]];
    const [ax, ay, bx, by, cx, cy] = corners.flatMap((v) => [pixels[2 * v], pixels[2 * v + 1]]);
    if ((by - ay) * (cx - ax) - (bx - ax) * (cy - ay) <= 0) continue; // counter-clockwise, y down
    const [a, b, c] = corners.map((v) => places[v]);
    const [p, q] = [b, c].map((end) => end.map((value, axis) => value - a[axis]));
    const normal = [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]];
    const middle = a.map((value, axis) => (value + b[axis] + c[axis]) / 3);
    const cosine = normal.reduce((sum, value, axis) => sum + value * middle[axis], 0) / (Math.hypot(...normal) * Math.hypot(...middle));
    facets.push({ corners, depth: middle[2], light: cosine ** 2 || 0 });
  }
  return facets.sort((a, b) => b.depth - a.depth);
}

// The fitted heads over the faces, half transparent, as if lit from the camera. `result`: an answer of the service
// with `mesh`; `triangles`: those of /v1/mesh.
export function drawMeshes(context, result, triangles) {
  const meshed = result?.faces.filter((face) => face.mesh) ?? [];
  if (!meshed.length) return;
  const { width, height } = context.canvas;
  const layer = Object.assign(document.createElement("canvas"), { width, height });
  const over = layer.getContext("2d");
  over.setTransform(context.getTransform());
  over.translate(0.5, 0.5);
  over.lineWidth = 0.7 / over.getTransform().a; // closes the seams between triangles
  over.lineJoin = "round";
  for (const { mesh, face3d } of meshed)
    for (const { corners, light } of facetsTowardsCamera(mesh, triangles, result.camera, face3d.pose.translation_mm[2])) {
      over.beginPath();
      corners.forEach((v, i) => over[i ? "lineTo" : "moveTo"](mesh.pixels[2 * v], mesh.pixels[2 * v + 1]));
      over.closePath();
      over.fillStyle = over.strokeStyle = `rgb(${kMeshColour.map((value) => Math.round(value * light)).join(" ")})`;
      over.fill();
      over.stroke();
    }
  context.save();
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.globalAlpha = kMeshOpacity;
  context.drawImage(layer, 0, 0);
  context.restore();
}

// Faces as the service gives them, in pixels of the canvas. `edges` are the model's; `show` has booleans points,
// edges, axes, box; `least` is the thinnest line in pixels; `chosen` is the face that is drawn stronger, or -1.
export function drawFaces(context, faces, edges, show, least = 0.9, chosen = -1) {
  context.save();
  context.translate(0.5, 0.5); // landmarks are indices of pixels: (0, 0) is the middle of the first
  context.lineCap = context.lineJoin = "round";
  faces.forEach((face, i) => {
    const tight = tightBox(face.landmarks);
    const side = Math.max(tight.width, tight.height);
    const width = Math.max(least, side / 150) * (i === chosen ? 1.8 : 1);
    if (show.box || i === chosen) drawBox(context, tight, width);
    if (show.edges)
      for (const edge of edges)
        shadedLine(context, smoothCurve(edge.landmarks.map((l) => face.landmarks[l])), colourOf(edge.name), width, 0.9);
    if (show.points) drawPoints(context, face, Math.max(least, side / 140), side);
    if (show.axes) drawAxes(context, face, tight, 1.6 * width);
    if (faces.length > 1) drawNumber(context, String(i + 1), tight, Math.max(14 * least, side / 12));
  });
  context.restore();
}
