// SPDX-License-Identifier: Apache-2.0
// The question to the person. What others wrote is set as text, never as HTML.
"use strict";

const key = location.search.slice(1);
const byId = (id) => document.getElementById(id);

function list(id, texts) {
  for (const text of texts) {
    const item = document.createElement("li");
    item.textContent = text;
    byId(id).append(item);
  }
}

async function choose(choice) {
  await messenger.runtime.sendMessage({ key, choice });
  window.close();
}

async function show() {
  const advice = await messenger.runtime.sendMessage({ key });
  if (!advice) {
    return;
  }
  list("findings", advice.findings.map((finding) => finding.text));
  list("shown", advice.shown.map((one) => `${one.address} (${one.channels.join(", ")})`));
  if (advice.singly_refused) {
    byId("refused").textContent = `Sending singly would not help: ${advice.singly_refused}`;
    byId("refused").hidden = false;
    byId("singly").hidden = true;
  }
  for (const button of document.querySelectorAll("[data-choice]")) {
    button.addEventListener("click", () => choose(button.dataset.choice));
  }
  document.body.dataset.ready = "yes";
}

// Only the first choice counts: after a click this one changes nothing.
window.addEventListener("pagehide", () =>
  messenger.runtime.sendMessage({ key, choice: "cancel" }),
);
show();
