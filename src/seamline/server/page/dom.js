// Builds elements. Every text goes in as text, never as markup, so a file's name cannot become one.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an element: el("p", {class: "quiet"}, "text", child). A function attribute is a listener
 * ("onclick"), `style` is an object set through the CSSOM (the policy forbids inline style),
 * `false`, `null` and `undefined` leave an attribute out, children may be nested lists.
 */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** Makes an SVG element in the same way. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") node.addEventListener(key.slice(2), value);
    else if (key === "style") setStyle(node, value);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

export function setStyle(node, values) {
  for (const [key, value] of Object.entries(values)) node.style.setProperty(key, value);
}

/** Replaces what an element holds. */
export function put(node, ...children) {
  node.replaceChildren(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined),
  );
  return node;
}

/** A file's name, kept from turning the text around it. */
export function nameOf(text, attributes = {}) {
  return el("bdi", attributes, text);
}

let announced = "";

/** Tells a screen reader something; the same text twice is told once. */
export function announce(text) {
  if (text === announced) return;
  announced = text;
  document.getElementById("announce").textContent = text;
}

/** Moves the focus to an element that is not reachable by Tab, such as a heading. */
export function focusOn(node) {
  if (!node) return;
  if (!node.hasAttribute("tabindex") && node.tabIndex < 0) node.setAttribute("tabindex", "-1");
  node.focus({ preventScroll: false });
}

/** Asks before something that cannot be undone; resolves to true or false. */
export function confirmed({ title, text, yes, no }) {
  return new Promise((resolve) => {
    const opener = document.activeElement;
    const dialog = el(
      "dialog",
      { class: "ask", "aria-labelledby": "ask-title", "aria-describedby": "ask-text" },
      el("h2", { id: "ask-title" }, title),
      el("p", { id: "ask-text" }, text),
      el(
        "div",
        { class: "row" },
        el("button", { type: "button", autofocus: true, onclick: () => dialog.close("no") }, no),
        el("button", { type: "button", class: "danger", onclick: () => dialog.close("yes") }, yes),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (opener?.isConnected) opener.focus();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** The round sign before a finding; the text beside it says the same. */
export function mark(tone) {
  const signs = { fake: "!", real: "–", unsure: "?", unread: "×", busy: "" };
  return el("span", { class: `mark ${tone}`, "aria-hidden": "true" }, signs[tone]);
}

/** A moment as people write it, with the exact one in the `datetime` attribute. */
export function moment(iso) {
  const shown = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
  return el("time", { datetime: iso, title: iso }, shown.format(new Date(iso)));
}
