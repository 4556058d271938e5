// SPDX-License-Identifier: Apache-2.0
// Two settings, kept in this profile.
"use strict";

const form = document.getElementById("settings");

messenger.storage.local.get(["url", "token"]).then((settings) => {
  form.elements.url.value = settings.url || "";
  form.elements.token.value = settings.token || "";
  document.body.dataset.ready = "yes";
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const url = form.elements.url.value.replace(/\/+$/, "");
  await messenger.storage.local.set({ url, token: form.elements.token.value.trim() });
  document.getElementById("said").textContent = "Saved.";
});
