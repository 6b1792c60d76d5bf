// Opens the view that the address names: #/, #/jobs/ID, #/history, #/about.

import { aboutPage } from "./about.js";
import { getLimits, signOut } from "./api.js";
import { announce, focusOn } from "./dom.js";
import { historyPage } from "./history.js";
import { jobPage, problem } from "./job.js";
import { startPage } from "./start.js";
import { tokenPage } from "./token.js";
import { isSending } from "./uploads.js";

const main = document.getElementById("main");
let closeView = () => {};
let first = true;

function setTitle(text) {
  document.title = text ? `${text} – Seamline` : "Seamline";
}

function go(address) {
  if (location.hash === address) open();
  else location.hash = address;
}

function open() {
  const [path, query] = location.hash.replace(/^#/, "").split("?");
  const after = new URLSearchParams(query).get("after");
  const job = /^\/jobs\/([\w-]+)$/.exec(path)?.[1];
  const tools = { go, setTitle, onRefused: askForToken };
  closeView();
  closeView = () => {};
  if (job) closeView = jobPage(main, job, tools);
  else if (path === "/history") closeView = historyPage(main, { after, ...tools });
  else if (path === "/about") closeView = aboutPage(main, tools);
  else if (path === "" || path === "/") closeView = startPage(main, tools);
  else {
    setTitle("Not found");
    main.replaceChildren(problem("There is no such page", "The address may be mistyped."));
  }
  markRoute(job ? "job" : path.slice(1) || "start");
  if (!first) {
    scrollTo(0, 0);
    focusOn(main.querySelector("h1") ?? main);
  }
  first = false;
}

function markRoute(route) {
  for (const link of document.querySelectorAll("[data-route]")) {
    if (link.dataset.route === route) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/** Shows the token form in place of the view; afterwards the same address opens again. */
function askForToken() {
  if (main.querySelector("#token")) return;
  closeView();
  document.getElementById("sign-out").hidden = true;
  announce("This service asks for a token.");
  closeView = tokenPage(main, {
    setTitle,
    onEntered: () => {
      offerSignOut();
      open();
    },
  });
}

async function offerSignOut() {
  const limits = await getLimits().catch(() => null);
  document.getElementById("sign-out").hidden = !limits?.token_required;
}

function setUpTheme() {
  const root = document.documentElement;
  for (const input of document.querySelectorAll("#theme input")) {
    input.checked = input.value === (root.dataset.theme ?? "auto");
    input.addEventListener("change", () => {
      if (input.value === "auto") delete root.dataset.theme;
      else root.dataset.theme = input.value;
      try {
        localStorage.setItem("seamline-theme", input.value);
      } catch {
        // Storage may be forbidden; the choice then lasts for this visit.
      }
    });
  }
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the part after # names the view here
  main.focus();
});
document.getElementById("sign-out").addEventListener("click", async () => {
  await signOut().catch(() => null);
  askForToken();
});
addEventListener("hashchange", open);
addEventListener("beforeunload", (event) => {
  if (isSending()) event.preventDefault();
});
setUpTheme();
offerSignOut();
open();
