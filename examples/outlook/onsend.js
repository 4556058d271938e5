// SPDX-License-Identifier: Apache-2.0
// Smart Alerts: ask the guard when Send is pressed. Classic Outlook loads this file
// alone, so it needs no other. The task pane (pane.html) uses the same functions.
"use strict";

const FIELD = "X-Undisclosed-Clearance";
const PANE = "undisclosedPane"; // the id of the button in the manifest
const LARGEST_FILES = 20 * 1024 * 1024; // bytes of all attachments together

// Office's functions with a callback, as a promise.
function asked(object, name, ...given) {
  return new Promise((resolve, reject) => {
    object[name](...given, (result) =>
      result.status === "succeeded" ? resolve(result.value) : reject(result.error),
    );
  });
}

const mailboxOf = (one) => `"${(one.displayName || "").replace(/["\\]/g, "")}" <${one.emailAddress}>`;

// The question about the mail that is being written: see the reference of the API.
async function questionOf(item) {
  const [from, to, cc, bcc, subject, text, html] = await Promise.all([
    asked(item.from, "getAsync"),
    asked(item.to, "getAsync"),
    asked(item.cc, "getAsync"),
    asked(item.bcc, "getAsync"),
    asked(item.subject, "getAsync"),
    asked(item.body, "getAsync", "text"),
    asked(item.body, "getAsync", "html"),
  ]);
  return {
    sender: from.emailAddress,
    to: to.map(mailboxOf),
    cc: cc.map(mailboxOf),
    bcc: bcc.map(mailboxOf),
    subject,
    text,
    html,
    files: await filesOf(item),
  };
}

async function filesOf(item) {
  const attachments = await asked(item, "getAttachmentsAsync");
  const files = attachments.filter((one) => one.attachmentType === "file" && !one.isInline);
  if (files.reduce((sum, one) => sum + one.size, 0) > LARGEST_FILES) {
    return [];
  }
  return Promise.all(
    files.map(async (one) => {
      const { content } = await asked(item, "getAttachmentContentAsync", one.id);
      return { name: one.name, type: one.contentType || "", content };
    }),
  );
}

// Ask the guard. Throws where there is no answer; then the guard decides alone.
// The same function stands in the other add-in: neither can load a file of the other.
async function ask(settings, question) {
  const response = await fetch(`${settings.url}/v1/check`, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${settings.token}`,
      "Content-Type": "application/json",
    },
    credentials: "omit",
    body: JSON.stringify(question),
  });
  const answer = await response.json();
  if (!response.ok) {
    throw new Error(answer.error);
  }
  return answer;
}

function settingsOf(context) {
  const { roamingSettings } = context;
  return { url: roamingSettings.get("url"), token: roamingSettings.get("token") };
}

// What Outlook shows when it stops the mail.
function alertOf(advice) {
  const findings = advice.findings.map((finding) => finding.text).join(" ");
  const way = advice.singly_refused
    ? `Sending singly would not help: ${advice.singly_refused}`
    : "It can be sent singly: everyone gets a copy in which nobody else is named.";
  return {
    allowEvent: false,
    errorMessage: `${findings} ${way} Sent anyway, it is held until somebody decides.`,
    cancelLabel: advice.singly_refused ? "Show whom" : "Send singly",
    commandId: PANE,
  };
}

async function onMessageSendHandler(event) {
  const { item } = Office.context.mailbox;
  try {
    const settings = settingsOf(Office.context);
    const headers = await asked(item.internetHeaders, "getAsync", [FIELD]);
    // With a clearance the choice was made; the guard looks whether it fits.
    if (!settings.url || !settings.token || headers[FIELD]) {
      event.completed({ allowEvent: true });
      return;
    }
    const advice = await ask(settings, await questionOf(item));
    event.completed(advice.action === "accept" ? { allowEvent: true } : alertOf(advice));
  } catch (error) {
    // The guard stands in the mail's way, too: what cannot be asked is judged there.
    console.warn("Undisclosed could not be asked:", error.message);
    event.completed({ allowEvent: true });
  }
}

// The choice of the task pane: the field goes into the mail, then Send is pressed.
async function chooseSingly(item, settings) {
  const question = { ...(await questionOf(item)), choice: "send singly" };
  const { clearance } = await ask(settings, question);
  await asked(item.internetHeaders, "setAsync", { [clearance.field]: clearance.token });
}

Office.onReady();
Office.actions.associate("onMessageSendHandler", onMessageSendHandler);
