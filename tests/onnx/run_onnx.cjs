// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
// node run_onnx.cjs MODEL INPUT BATCH OUTPUT: runs an exported network in ONNX Runtime on the processor. INPUT
// is float32 [BATCH, 3, S, S]; OUTPUT becomes landmarks, pose and uncertainty, float32, one after another.
const fs = require("fs");
const path = require("path");
const ort = require(path.join(process.env.SPIGA_NODE_MODULES, "onnxruntime-node"));

async function main([model, input, batch, output]) {
  const session = await ort.InferenceSession.create(model, { executionProviders: ["cpu"], intraOpNumThreads: 2 });
  const bytes = fs.readFileSync(input);
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const side = Math.round(Math.sqrt(values.length / (3 * batch)));
  const crop = new ort.Tensor("float32", values, [Number(batch), 3, side, side]);
  const found = await session.run({ crop });
  const parts = ["landmarks", "pose", "uncertainty"].map((name) => found[name]);
  console.log(parts.map((part) => part.dims.join("x")).join(" "));
  fs.writeFileSync(output, Buffer.concat(parts.map((part) => Buffer.from(part.data.buffer, part.data.byteOffset, part.data.byteLength))));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
