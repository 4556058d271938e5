// SPDX-License-Identifier: Apache-2.0
// What is asked, and what is made of the answer. Nothing here is Thunderbird's.
"use strict";

const LARGEST_FILES = 20 * 1024 * 1024; // bytes of all attachments together

// "Ann Lee <ann@a.example>" names ann@a.example.
function addressOf(mailbox) {
  const found = /<([^<>]*)>\s*$/.exec(mailbox);
  return (found ? found[1] : mailbox).trim();
}

// The question about a mail that is about to be sent: see the reference of the API.
function questionOf(details, files) {
  const question = {
    sender: addressOf(details.from),
    to: details.to,
    cc: details.cc,
    bcc: details.bcc,
    reply_to: details.replyTo,
    subject: details.subject,
    text: details.plainTextBody || "",
    files,
  };
  if (!details.isPlainText) {
    question.html = details.body;
  }
  return question;
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
