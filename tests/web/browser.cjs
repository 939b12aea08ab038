// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
// What the tests of the pages share. Exits with 77 where the browser or its driver is not installed.
const assert = require("assert");
const { spawn } = require("child_process");
const fs = require("fs");
const path = require("path");

const modules = process.env.SPIGA_NODE_MODULES;
const executablePath = process.env.CHROMIUM || "/usr/bin/chromium";

function skipUnless(there, message) {
  if (there) return;
  console.log("SKIPPED: " + message);
  process.exit(77);
}

// run(page, problems) with a page of headless Chromium, whose camera is a moving test picture. What the page
// writes to its console, and every request to another host than `host`, is added to problems.
async function withPage(host, run) {
  skipUnless(fs.existsSync(executablePath), executablePath + " is not installed: apt-get install chromium");
  const { chromium } = require(path.join(modules, "playwright-core"));
  const browser = await chromium.launch({ executablePath,
    args: ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"] });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    const problems = [];
    page.on("console", (message) => problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol === "http:" && url.host !== host) problems.push("asked " + url);
    });
    page.setDefaultTimeout(60000);
    await run(page, problems);
  } finally {
    await browser.close();
  }
}

// A started program and what it says first on standard error that the pattern finds.
function start(program, options, environment, pattern) {
  const child = spawn(program, options, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...environment } });
  return new Promise((done, fail) => {
    let said = "";
    child.stderr.on("data", (data) => {
      said += data;
      const found = said.match(pattern);
      if (found) done({ child, found: found[1] });
    });
    child.on("exit", () => fail(new Error("ended early: " + said)));
  });
}

// The file that a click on the button saves.
async function saved(page, button) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(button)]);
  return { name: download.suggestedFilename(), bytes: fs.readFileSync(await download.path()) };
}

const waitForText = (page, selector, pattern) =>
  page.waitForFunction(([where, text]) => new RegExp(text).test(document.querySelector(where).textContent), [selector, pattern]);

function finish(main) {
  skipUnless(fs.existsSync(path.join(modules, "playwright-core")),
    "playwright-core is not installed: scripts/install_node_packages.sh fetches it");
  main().then(
    () => console.log("passed"),
    (error) => {
      console.error(error);
      process.exit(1);
    });
}

module.exports = { assert, finish, saved, start, waitForText, withPage, modules };
