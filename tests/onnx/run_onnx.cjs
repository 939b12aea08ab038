// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
// node run_onnx.cjs MODEL INPUT BATCH OUTPUT [HEIGHT WIDTH]: runs an exported network in ONNX Runtime on the
// processor. INPUT is float32 [BATCH, 3, S, S] or [BATCH, 3, HEIGHT, WIDTH]; OUTPUT becomes the network's outputs,
// float32, one after another.
const fs = require("fs");
const path = require("path");
const ort = require(path.join(process.env.SPIGA_NODE_MODULES, "onnxruntime-node"));

async function main([model, input, batch, output, height, width]) {
  const session = await ort.InferenceSession.create(model, { executionProviders: ["cpu"], intraOpNumThreads: 2 });
  const bytes = fs.readFileSync(input);
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const side = Math.round(Math.sqrt(values.length / (3 * batch)));
  const shape = [Number(batch), 3, Number(height || side), Number(width || side)];
  const found = await session.run({ [session.inputNames[0]]: new ort.Tensor("float32", values, shape) });
  const parts = session.outputNames.map((name) => found[name]);
  console.log(parts.map((part) => part.dims.join("x")).join(" "));
  fs.writeFileSync(output, Buffer.concat(parts.map((part) => Buffer.from(part.data.buffer, part.data.byteOffset, part.data.byteLength))));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
