// Follows one job: by server-sent events, and by asking where those do not come through.

import { getJob, jobUrl } from "./api.js";

const POLL_MS = [700, 1000, 1500, 2500, 4000];
const SILENCE_MS = 4000; // some proxies hold a stream back until it ends
const ENDED = ["done", "failed"];

/**
 * Calls onJob(job) on every change until the job ends, onGone() when it was deleted, and
 * onError(error) when the service cannot be asked. Returns a function that stops.
 */
export function watchJob(id, { onJob, onGone, onError }) {
  let stopped = false;
  let source = null;
  let timer = null;
  let round = 0;

  const stop = () => {
    stopped = true;
    source?.close();
    clearTimeout(timer);
  };
  const take = (job) => {
    if (stopped) return;
    if (ENDED.includes(job.state)) stop();
    onJob(job);
  };
  const poll = async () => {
    source?.close();
    if (stopped) return;
    try {
      take(await getJob(id));
    } catch (error) {
      if (stopped) return;
      if (error.status === 404) {
        stop();
        onGone();
        return;
      }
      onError(error);
      if (error.status === 401) stop();
    }
    if (!stopped) timer = setTimeout(poll, POLL_MS[Math.min(round++, POLL_MS.length - 1)]);
  };

  if (typeof EventSource !== "function") {
    poll();
    return stop;
  }
  source = new EventSource(jobUrl(id, "/events"));
  timer = setTimeout(poll, SILENCE_MS);
  source.addEventListener("job", (event) => {
    clearTimeout(timer);
    take(JSON.parse(event.data));
  });
  source.addEventListener("gone", () => {
    stop();
    onGone();
  });
  source.addEventListener("error", () => {
    // A dropped stream: ask instead, which also tells a refusal (401, 404) from a broken line.
    clearTimeout(timer);
    poll();
  });
  return stop;
}
