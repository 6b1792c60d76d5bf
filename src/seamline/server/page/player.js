// Shows the file itself: a video or picture with boxes over it, or a sound. Where the browser
// cannot, or the file was not kept, boxes are drawn on plain ground and time moves without it.

import { jobUrl } from "./api.js";
import { announce, el, put } from "./dom.js";
import { createOverlay } from "./overlay.js";
import { localFile, rememberFile } from "./local_files.js";
import { visible } from "./words.js";

const SPEEDS = [0.25, 0.5, 1, 1.5];

/** "video", "audio" or "image", by what was sniffed, or by what was found in the file. */
export function kindOf(job) {
  const named = /^(video|audio|image)\//.exec(job.media_type ?? "")?.[1];
  if (named) return named;
  return job.verdict?.media.video ? "video" : "audio";
}

/**
 * Makes {element, seek(seconds), stop()}; `onTime` is told the seconds shown on every change.
 * The element holds the picture and its tools.
 */
export function createPlayer({ job, evidence, onTime }) {
  const kind = kindOf(job);
  const stage = el("div", { class: `stage ${kind}` });
  const tools = el("div", { class: "stage-tools row" });
  const notice = el("div", { class: "stage-notice", hidden: true });
  const element = el("div", { class: "player" }, stage, notice, tools);
  const state = { job, evidence, kind, stage, tools, notice, onTime, media: null, seconds: 0 };

  if (kind !== "audio") {
    if (evidence?.width) {
      stage.style.setProperty("--shape", `${evidence.width} / ${evidence.height}`);
      stage.style.setProperty("--ratio", String(evidence.width / evidence.height));
    }
    state.canvas = el("canvas", { class: "boxes", "aria-hidden": "true" });
    state.overlay = createOverlay(state.canvas, evidence, () => naturalSize(state));
  }
  const source = job.has_media ? jobUrl(job.id, "/media") : localFile(job.id);
  if (source) show(state, source);
  else goBlind(state, "The service did not keep this file, as it was set up to do.", true);
  return { element, seek: (seconds) => seek(state, seconds), stop: () => state.media?.pause?.() };
}

function naturalSize({ media, evidence }) {
  const width = media?.videoWidth || media?.naturalWidth;
  const height = media?.videoHeight || media?.naturalHeight;
  return width && height ? [width, height] : [evidence?.width ?? 0, evidence?.height ?? 0];
}

function show(state, source) {
  const name = visible(state.job.name);
  if (state.kind === "image") {
    state.media = el("img", { src: source, alt: `The picture ${name}`, class: "medium" });
    state.media.addEventListener("load", () => tell(state, 0));
  } else {
    const label = `${state.kind === "video" ? "Video" : "Sound"}: ${name}`;
    const shared = { controls: true, preload: "auto", "aria-label": label, class: "medium" };
    const own = state.kind === "video" ? { playsinline: true, controlslist: "nofullscreen" } : {};
    state.media = el(state.kind, { ...shared, ...own, src: source });
    follow(state);
  }
  state.media.addEventListener("error", () => {
    goBlind(state, `This browser cannot play this file${codecs(state)}.`, false);
  });
  put(state.stage, state.media, state.canvas);
  state.stage.classList.remove("blind");
  state.notice.hidden = true;
  makeTools(state);
}

function codecs({ job }) {
  const found = [job.verdict?.media.video?.codec, job.verdict?.media.audio?.codec];
  const named = found.filter(Boolean).join(", ");
  return named ? ` (${named})` : "";
}

/** Keeps `onTime` in step with the player: with each shown frame, or each screen refresh. */
function follow(state) {
  const { media } = state;
  const byFrame = typeof media.requestVideoFrameCallback === "function";
  const onFrame = (_, frame) => {
    if (media !== state.media) return;
    // At rest the moment asked for counts: its frame may have begun in the second before.
    tell(state, media.paused ? media.currentTime : frame.mediaTime);
    media.requestVideoFrameCallback(onFrame);
  };
  const onRefresh = () => {
    if (media !== state.media) return;
    tell(state, media.currentTime);
    if (!media.paused) requestAnimationFrame(onRefresh);
  };
  if (byFrame) media.requestVideoFrameCallback(onFrame);
  else media.addEventListener("play", () => requestAnimationFrame(onRefresh));
  for (const event of ["seeked", "pause", "loadeddata", "ended"]) {
    media.addEventListener(event, () => tell(state, media.currentTime));
  }
  media.addEventListener("loadedmetadata", () => {
    // A video of which the browser plays only the sound has no picture size.
    if (state.kind === "video" && !media.videoWidth) {
      goBlind(state, `This browser cannot show the picture of this file${codecs(state)}.`, false);
    } else if (state.seconds) media.currentTime = state.seconds;
  });
}

function tell(state, seconds) {
  state.seconds = seconds;
  state.overlay?.draw(seconds);
  state.onTime(seconds);
}

function seek(state, seconds) {
  const { media } = state;
  if (media && "currentTime" in media && media.readyState > 0) media.currentTime = seconds;
  tell(state, seconds);
}

function goBlind(state, why, mayChoose) {
  state.media?.pause?.();
  state.media = null;
  state.stage.classList.add("blind");
  put(state.stage, state.canvas);
  state.stage.hidden = !state.canvas || !state.evidence?.faces?.length;
  put(
    state.notice,
    el("p", {}, el("strong", {}, why)),
    el(
      "p",
      {},
      "The findings do not depend on it: the timeline, the segments and the faces below work as ever",
      state.stage.hidden ? "." : ", and boxes show where in the picture the faces are.",
    ),
    mayChoose ? chooser(state) : download(state),
  );
  state.notice.hidden = false;
  put(state.tools);
  announce(why);
  tell(state, state.seconds);
}

function download({ job }) {
  if (!job.has_media) return null;
  const link = el("a", { href: jobUrl(job.id, "/media"), download: job.name }, "Download the file");
  return el("p", {}, link, " to play it elsewhere.");
}

/** Lets the reader play their own copy here; it must be the very file that was examined. */
function chooser(state) {
  const id = "own-copy";
  const trouble = el("p", { class: "trouble", role: "alert" });
  const input = el("input", {
    type: "file",
    id,
    onchange: async () => {
      const [file] = input.files;
      if (!file) return;
      if (await isSame(file, state.job)) {
        show(state, rememberFile(state.job.id, file));
      } else trouble.textContent = "That is another file than the one that was examined.";
    },
  });
  return el(
    "div",
    {},
    el("label", { for: id }, "Play your own copy here; it stays on this device: "),
    input,
    trouble,
  );
}

async function isSame(file, job) {
  if (file.size !== job.size_bytes) return false;
  const wanted = job.verdict?.sha256;
  if (!wanted || !globalThis.crypto?.subtle || file.size > 5e8) return true;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("") === wanted;
}

function makeTools(state) {
  const { kind, overlay, stage, evidence } = state;
  const found = [];
  if (overlay && evidence?.faces?.length) {
    const onchange = (event) => overlay.show(event.target.checked);
    const box = el("input", { type: "checkbox", checked: true, onchange });
    found.push(el("label", { class: "check" }, box, "Boxes and scores"));
  }
  if (kind !== "image") found.push(speed(state));
  if (kind === "video") found.push(...frameSteps(state));
  if (kind !== "audio" && document.fullscreenEnabled) {
    const onclick = () => {
      if (document.fullscreenElement) document.exitFullscreen();
      else stage.requestFullscreen().catch(() => announce("Full screen is not allowed here."));
    };
    found.push(el("button", { type: "button", class: "small-button", onclick }, "Full screen"));
  }
  put(state.tools, ...found);
}

function speed(state) {
  const onchange = (event) => {
    state.media.playbackRate = Number(event.target.value);
  };
  const options = SPEEDS.map((value) =>
    el("option", { value, selected: value === 1 }, `${value}×`),
  );
  return el("label", { class: "check" }, "Speed", el("select", { onchange }, options));
}

function frameSteps(state) {
  const rate = state.job.verdict?.media.video?.frames_per_second || 25;
  const move = (frames) => () => {
    state.media.pause();
    const end = state.media.duration || Infinity;
    seek(state, Math.min(Math.max(state.media.currentTime + frames / rate, 0), end));
  };
  return [
    ["‹", "One frame back", -1],
    ["›", "One frame on", 1],
  ].map(([sign, label, frames]) =>
    el(
      "button",
      { type: "button", class: "small-button", "aria-label": label, title: label, onclick: move(frames) },
      sign,
    ),
  );
}
