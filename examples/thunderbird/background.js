// SPDX-License-Identifier: Apache-2.0
// Before a mail is sent: ask the guard, and the person where the guard would hold it.
"use strict";

const waiting = new Map(); // questions to somebody, by the key of their window

messenger.compose.onBeforeSend.addListener(async (tab, details) => {
  const settings = await readSettings();
  if (!settings.url || !settings.token) {
    return {};
  }
  let question;
  let advice;
  try {
    question = questionOf(details, await filesOf(tab.id));
    advice = await ask(settings, question);
  } catch (error) {
    // The guard stands in the mail's way, too: what cannot be asked is judged there.
    console.warn("Undisclosed could not be asked:", error.message);
    return {};
  }
  if (advice.action === "accept") {
    return {};
  }
  const choice = await askPerson(advice);
  if (choice === "singly") {
    return sendSingly(settings, question, details);
  }
  return { cancel: choice !== "send" };
});

// The mail with the field that says what its sender chose.
async function sendSingly(settings, question, details) {
  let clearance;
  try {
    ({ clearance } = await ask(settings, { ...question, choice: "send singly" }));
  } catch (error) {
    console.warn("Undisclosed gave no clearance:", error.message);
    return { cancel: true };
  }
  const others = (details.customHeaders || []).filter(
    (header) => header.name.toLowerCase() !== clearance.field.toLowerCase(),
  );
  const customHeaders = [...others, { name: clearance.field, value: clearance.token }];
  return { details: { customHeaders } };
}

async function filesOf(tabId) {
  const attachments = await messenger.compose.listAttachments(tabId);
  const size = attachments.reduce((sum, one) => sum + (one.size || 0), 0);
  if (size > LARGEST_FILES) {
    return [];
  }
  return Promise.all(
    attachments.map(async (one) => {
      const file = await messenger.compose.getAttachmentFile(one.id);
      return { name: file.name, type: file.type, content: await base64Of(file) };
    }),
  );
}

function base64Of(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

// What an administrator has set stands above what a person has.
async function readSettings() {
  const own = await messenger.storage.local.get(["url", "token"]);
  const managed = await messenger.storage.managed.get(["url", "token"]).catch(() => ({}));
  return { ...own, ...managed };
}

// Show who would see whom; "singly", "send" or "cancel". Closing the window cancels.
function askPerson(advice) {
  const key = crypto.randomUUID();
  return new Promise((resolve) => {
    waiting.set(key, { advice, resolve });
    messenger.windows.create({
      type: "popup",
      url: `ask.html?${key}`,
      width: 640,
      height: 520,
      allowScriptsToClose: true,
    });
  });
}

// The window asks what to show, and says what was chosen.
messenger.runtime.onMessage.addListener(async ({ key, choice }) => {
  const asked = waiting.get(key);
  if (asked && choice) {
    waiting.delete(key);
    asked.resolve(choice);
  }
  return asked?.advice;
});
