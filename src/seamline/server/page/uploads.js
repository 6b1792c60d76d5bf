// Files on their way to the service, two at a time. They go on while other views are open.

import { getJob, getLimits, send, titleOf } from "./api.js";
import { rememberFile } from "./local_files.js";
import { referenceIds } from "./references.js";
import { sizeText } from "./words.js";

const AT_ONCE = 2;
const MOST_WAITS = 5;
const POLL_MS = 1500;

/** Uploads of this visit, newest last: {file, state, share, job, title, message, refused}. */
export const uploads = [];
const listeners = new Set();

/** Calls back on every change of any upload; returns a function that ends it. */
export function onUploads(callback) {
  listeners.add(callback);
  return () => listeners.delete(callback);
}

function changed(upload) {
  for (const callback of listeners) callback(upload);
}

export function isSending() {
  return uploads.some(({ state }) => state === "waiting" || state === "sending");
}

/** Takes files from a drop or a choice; resolves to the uploads made for them. */
export async function addFiles(files) {
  const made = [...files].map((file) => ({ file, state: "waiting", share: 0, job: null, waits: 0 }));
  const limits = await getLimits().catch(() => null);
  for (const upload of made) {
    const most = limits?.upload_bytes;
    if (upload.file.size === 0) {
      refuse(upload, 400, "It holds no bytes. Is the copy complete?", "Empty file");
    } else if (most && upload.file.size > most) {
      const text = `It has ${sizeText(upload.file.size)}; this service takes up to ${sizeText(most)}. Cut out the part in question, or scan it with the command line.`;
      refuse(upload, 413, text);
    }
    uploads.push(upload);
    changed(upload);
  }
  pump();
  return made;
}

function refuse(upload, status, message, title = titleOf(status)) {
  Object.assign(upload, { state: "refused", refused: status, title, message });
}

function pump() {
  const busy = uploads.filter(({ state }) => state === "sending").length;
  const next = uploads.filter(({ state }) => state === "waiting").slice(0, AT_ONCE - busy);
  for (const upload of next) begin(upload);
}

async function begin(upload) {
  Object.assign(upload, { state: "sending", share: 0, message: null });
  let stopped = false;
  upload.cancel = () => {
    stopped = true;
  };
  changed(upload);
  const reference = await referenceIds();
  if (stopped) {
    failed(upload, { code: "cancelled" });
    changed(upload);
    pump();
    return;
  }
  const told = (share) => {
    upload.share = share;
    changed(upload);
  };
  const { done, cancel } = send(upload.file, told, reference);
  upload.cancel = cancel;
  try {
    upload.job = await done;
    upload.state = "accepted";
    rememberFile(upload.job.id, upload.file); // a service may keep nothing past the verdict
    follow(upload);
  } catch (error) {
    failed(upload, error);
  }
  changed(upload);
  pump();
}

function failed(upload, error) {
  if (error.code === "cancelled") {
    upload.state = "cancelled";
  } else if (error.status === 429 && error.retrySeconds !== null && upload.waits < MOST_WAITS) {
    const seconds = Math.max(1, Math.ceil(error.retrySeconds));
    Object.assign(upload, { state: "held", title: titleOf(429), waits: upload.waits + 1 });
    upload.message = `${error.message} It is sent again in ${seconds}\u00a0s.`;
    setTimeout(() => retry(upload), 1000 * seconds);
  } else {
    refuse(upload, error.status, error.message);
  }
}

/** Sends a refused or held upload again. */
export function retry(upload) {
  if (!["refused", "held", "cancelled"].includes(upload.state)) return;
  Object.assign(upload, { state: "waiting", refused: null });
  changed(upload);
  pump();
}

export function cancel(upload) {
  if (upload.state === "sending") upload.cancel();
  else if (upload.state === "waiting" || upload.state === "held") {
    upload.state = "cancelled";
    changed(upload);
  }
}

export function forget(upload) {
  uploads.splice(uploads.indexOf(upload), 1);
  changed(upload);
}

/** Asks after an accepted job until it ends, for the list of several files. */
async function follow(upload) {
  while (["queued", "running"].includes(upload.job.state)) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    if (!listeners.size) continue; // nobody looks
    try {
      upload.job = await getJob(upload.job.id);
    } catch (error) {
      if (error.status === 404) {
        forget(upload);
        return;
      }
    }
    changed(upload);
  }
}
