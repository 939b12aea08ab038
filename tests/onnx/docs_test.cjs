// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
// node docs_test.cjs SPIGA WORK: runs the examples of docs/onnx.md, and holds docs/serving.md's description of the
// model to the exported file. In the project's root; exits with 77 where ONNX Runtime is not installed.
const assert = require("assert");
const { execFileSync } = require("child_process");
const fs = require("fs");
const path = require("path");

const [spiga, work] = process.argv.slice(2);
const modules = process.env.SPIGA_NODE_MODULES;
if (!fs.existsSync(path.join(modules, "onnxruntime-node"))) {
  console.log("SKIPPED: onnxruntime-node is not installed: scripts/install_node_packages.sh fetches it");
  process.exit(77);
}

function example(page, language) {
  return fs.readFileSync(page, "utf8").match(new RegExp("^```" + language + "\n([^]*?)^```$", "m"))[1];
}

function run(page, language, interpreter, environment) {
  const file = path.resolve(work, "example." + language);
  fs.writeFileSync(file, example(page, language));
  return execFileSync(interpreter, [file], { cwd: work, env: { ...process.env, ...environment }, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}

// { name: "crop" data_type: TYPE_FP32 dims: [ 3, 256, 256 ] }
function described(pbtxt, list) {
  const block = pbtxt.match(new RegExp("^" + list + " \\[\n([^]*?)^\\]", "m"))[1];
  return [...block.matchAll(/name: "(\w+)" data_type: TYPE_FP32 dims: \[ ([\d, ]+) \]/g)].map((found) => ({
    name: found[1], type: "float32", shape: found[2].split(",").map(Number),
  }));
}

const found = (values) => values.map((value) => ({ name: value.name, type: value.type, shape: value.shape.slice(1) }));

async function main() {
  fs.mkdirSync(path.join(work, "models"), { recursive: true });
  fs.copyFileSync("models/default.safetensors", path.join(work, "models/default.safetensors"));
  const environment = { PATH: path.dirname(spiga) + ":" + process.env.PATH, NODE_PATH: modules };
  run("docs/onnx.md", "sh", "sh", environment);
  assert.match(run("docs/onnx.md", "js", process.execPath, environment),
    /landmarks \[ 2, 68, 2 \] pose \[ 2, 6 \] uncertainty \[ 2, 68 \]/);

  const ort = require(path.join(modules, "onnxruntime-node"));
  const session = await ort.InferenceSession.create(path.join(work, "spiga.onnx"));
  const pbtxt = example("docs/serving.md", "pbtxt");
  assert.deepStrictEqual(described(pbtxt, "input"), found(session.inputMetadata));
  assert.deepStrictEqual(described(pbtxt, "output"), found(session.outputMetadata));
  for (const batch of [1, 3]) {
    const crop = new ort.Tensor("float32", new Float32Array(batch * 3 * 256 * 256).fill(0.25), [batch, 3, 256, 256]);
    const results = await session.run({ crop });
    for (const { name, shape } of described(pbtxt, "output")) assert.deepStrictEqual(results[name].dims.slice(), [batch, ...shape]);
  }
  console.log("passed");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
