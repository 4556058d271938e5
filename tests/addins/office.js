// SPDX-License-Identifier: Apache-2.0
// An Outlook of one mail, with the little of Office that the add-in uses.
//
// node office.js ADD-IN < {"settings": …, "mail": …, "deed": "send" | "singly"}
// prints {"completed": …, "headers": …, "error": …}. What it gives out has the form
// of Microsoft's reference: results with a status, values in their own shape.
"use strict";

const fs = require("node:fs");
const vm = require("node:vm");

const given = JSON.parse(fs.readFileSync(0, "utf8"));
const { mail, settings, deed } = given;
const headers = { ...mail.headers };

const succeeded = (value) => ({ status: "succeeded", value });
const failed = (message) => ({ status: "failed", error: { message } });
const later = (callback, result) => setTimeout(() => callback(result), 0);
const value = (read) => ({ getAsync: (callback) => later(callback, succeeded(read())) });

const item = {
  from: value(() => mail.from),
  to: value(() => mail.to),
  cc: value(() => mail.cc),
  bcc: value(() => mail.bcc),
  subject: value(() => mail.subject),
  body: {
    getAsync: (kind, callback) =>
      later(callback, kind in mail.body ? succeeded(mail.body[kind]) : failed("no such kind")),
  },
  internetHeaders: {
    getAsync: (names, callback) => {
      const found = names.filter((name) => name in headers);
      const pairs = found.map((name) => [name, headers[name]]);
      later(callback, succeeded(Object.fromEntries(pairs)));
    },
    setAsync: (more, callback) => {
      Object.assign(headers, more);
      later(callback, succeeded(undefined));
    },
  },
  getAttachmentsAsync: (callback) =>
    later(callback, succeeded(mail.attachments.map(({ content, ...rest }) => rest))),
  getAttachmentContentAsync: (id, callback) => {
    const found = mail.attachments.find((one) => one.id === id);
    const result = found
      ? succeeded({ content: found.content, format: "base64" })
      : failed("no such attachment");
    later(callback, result);
  },
};

const handlers = {};
const Office = {
  context: { mailbox: { item }, roamingSettings: { get: (name) => settings[name] } },
  actions: { associate: (name, handler) => (handlers[name] = handler) },
  onReady: () => Promise.resolve(),
};

const quiet = { warn: (...words) => process.stderr.write(`${words.join(" ")}\n`) };
const world = vm.createContext({ Office, fetch, console: quiet });
vm.runInContext(fs.readFileSync(process.argv[2], "utf8"), world);

const answer = (found) => process.stdout.write(JSON.stringify({ headers, ...found }));

if (deed === "singly") {
  world.item = item;
  world.settings = settings;
  vm.runInContext("chooseSingly(item, settings)", world).then(
    () => answer({}),
    (error) => answer({ error: error.message }),
  );
} else {
  handlers.onMessageSendHandler({ completed: (options) => answer({ completed: options }) });
}
