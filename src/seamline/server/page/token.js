// Asks for the token where the service wants one; a cookie that scripts cannot read keeps it.

import { signIn, titleOf } from "./api.js";
import { announce, el, focusOn, put } from "./dom.js";

export function tokenPage(main, { onEntered, setTitle }) {
  setTitle("Sign in");
  const trouble = el("p", { class: "trouble", role: "alert", id: "token-trouble" });
  const input = el("input", {
    type: "password",
    id: "token",
    autocomplete: "current-password",
    spellcheck: "false",
    "aria-describedby": "token-hint token-trouble",
  });
  const button = el("button", { type: "submit", class: "main-button" }, "Continue");
  const refuse = (text) => {
    trouble.textContent = text;
    input.setAttribute("aria-invalid", "true");
    input.focus();
    input.select();
  };
  const onsubmit = async (event) => {
    event.preventDefault();
    if (!input.value.trim()) {
      refuse("Enter the token first.");
      return;
    }
    button.disabled = true;
    try {
      await signIn(input.value.trim());
      announce("Signed in.");
      onEntered();
    } catch (error) {
      const wrong = error.status === 401;
      refuse(wrong ? "That is not the token of this service." : `${titleOf(error.status)}. ${error.message}`);
    } finally {
      button.disabled = false;
    }
  };
  put(
    main,
    el(
      "article",
      { class: "card narrow" },
      el("h1", {}, "This service asks for a token"),
      el(
        "p",
        { id: "token-hint" },
        "Whoever started it chose one with ",
        el("code", {}, "seamline serve --token"),
        ". It stays in this browser until you sign out.",
      ),
      el(
        "form",
        { class: "token-form", novalidate: true, onsubmit },
        el("label", { for: "token" }, "Token"),
        input,
        trouble,
        button,
      ),
    ),
  );
  focusOn(input);
  return () => {};
}
