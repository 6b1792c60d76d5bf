// Talks to the service under api/v1: JSON in and out, errors with the service's own words.

const BASE = new URL("api/v1/", document.baseURI);

/** What the service refused, or that it did not answer (status 0). */
export class ApiError extends Error {
  constructor(status, code, message, retrySeconds = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.retrySeconds = retrySeconds;
  }
}

const SILENT = "The service does not answer. Is it still running? Try again in a moment.";
const TITLES = {
  0: "No connection",
  400: "The upload was not understood",
  401: "A token is needed",
  404: "Not found",
  413: "Too large",
  415: "Not a medium that Seamline knows",
  429: "Too many requests at once",
  503: "The service is busy",
  507: "No room left on the service",
};

/** A few words for a status; the service's message follows them. */
export function titleOf(status) {
  return TITLES[status] ?? `The service reports an error (${status})`;
}

export function jobUrl(id, part = "") {
  return new URL(`jobs/${encodeURIComponent(id)}${part}`, BASE).href;
}

/** The address that the service gave for a picture, if it is its own; pages load nothing else. */
export function ownUrl(address) {
  const found = new URL(address, document.baseURI);
  return found.origin === location.origin ? found.href : null;
}

/** Asks the service; resolves to its JSON (null without a body), or throws an ApiError. */
export async function ask(path, { method = "GET", body = null } = {}) {
  const options = { method, headers: { Accept: "application/json" }, cache: "no-store" };
  if (body !== null) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(new URL(path, BASE), options);
  } catch {
    throw new ApiError(0, "silent", SILENT);
  }
  const text = await answer.text();
  if (!answer.ok) throw errorOf(answer.status, text, answer.headers.get("Retry-After"));
  return text ? JSON.parse(text) : null;
}

function errorOf(status, text, retryAfter) {
  let found = {};
  try {
    found = JSON.parse(text).error ?? {};
  } catch {
    // A proxy's page, or nothing: the status has to do.
  }
  const seconds = Number.parseFloat(retryAfter);
  return new ApiError(
    status,
    found.code ?? "unknown",
    found.message ?? titleOf(status),
    Number.isFinite(seconds) ? seconds : null,
  );
}

/**
 * Sends a file, to be judged against the uploads of the jobs in `reference`; `onShare` is told the
 * share sent. Gives {done, cancel}: `done` resolves to the job, or throws an ApiError (code
 * "cancelled" after `cancel`).
 */
export function send(file, onShare, reference = []) {
  // XMLHttpRequest, because fetch tells no progress of an upload.
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    const query = new URLSearchParams(reference.map((id) => ["reference", id]));
    request.open("POST", new URL(reference.length ? `jobs?${query}` : "jobs", BASE));
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onShare(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      if (request.status === 202) resolve(JSON.parse(request.responseText));
      else {
        const retry = request.getResponseHeader("Retry-After");
        reject(errorOf(request.status, request.responseText, retry));
      }
    });
    request.addEventListener("error", () => reject(new ApiError(0, "silent", SILENT)));
    request.addEventListener("abort", () => reject(new ApiError(0, "cancelled", "Cancelled.")));
    const form = new FormData();
    form.append("file", file, file.name);
    request.send(form);
  });
  return { done, cancel: () => request.abort() };
}

export const getJob = (id) => ask(`jobs/${encodeURIComponent(id)}`);
export const deleteJob = (id) => ask(`jobs/${encodeURIComponent(id)}`, { method: "DELETE" });
export const getEvidence = (id) => ask(`jobs/${encodeURIComponent(id)}/evidence`);
export const getModels = () => ask("models");
export const signIn = (token) => ask("session", { method: "POST", body: { token } });
export const signOut = () => ask("session", { method: "DELETE" });

export function listJobs({ limit = 20, after = null } = {}) {
  const query = new URLSearchParams({ limit: String(limit) });
  if (after) query.set("after", after);
  return ask(`jobs?${query}`);
}

let limits = null;

/** The service's limits; they do not change while it runs, so they are asked for once. */
export async function getLimits() {
  limits ??= await ask("limits");
  return limits;
}
