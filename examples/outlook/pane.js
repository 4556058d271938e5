// SPDX-License-Identifier: Apache-2.0
// The task pane: who would see whom, and the choice. What others wrote is set as text.
"use strict";

const byId = (id) => document.getElementById(id);

function list(id, texts) {
  byId(id).replaceChildren(
    ...texts.map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }),
  );
}

async function show(item, settings) {
  const advice = await ask(settings, await questionOf(item));
  list("findings", advice.findings.map((finding) => finding.text));
  list("shown", advice.shown.map((one) => `${one.address} (${one.channels.join(", ")})`));
  byId("said").textContent = advice.singly_refused
    ? `Sending singly would not help: ${advice.singly_refused}`
    : "";
  byId("singly").hidden = advice.action === "accept" || Boolean(advice.singly_refused);
}

async function trying(deed) {
  try {
    await deed();
  } catch (error) {
    byId("said").textContent = `This did not work: ${error.message}`;
  }
}

Office.onReady(() => {
  const { item } = Office.context.mailbox;
  const { roamingSettings } = Office.context;
  const settings = settingsOf(Office.context);
  const form = byId("settings");

  byId("singly").addEventListener("click", () =>
    trying(async () => {
      await chooseSingly(item, settingsOf(Office.context));
      byId("singly").hidden = true;
      byId("said").textContent = "Press Send now. Do not change the mail before.";
    }),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    roamingSettings.set("url", form.elements.url.value.replace(/\/+$/, ""));
    roamingSettings.set("token", form.elements.token.value.trim());
    trying(() => asked(roamingSettings, "saveAsync"));
  });

  if (settings.url && settings.token) {
    trying(() => show(item, settings));
  } else {
    byId("setup").open = true;
  }
});
