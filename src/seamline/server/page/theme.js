// Sets the chosen colours before the first paint. A plain script, so that it runs before the page
// is drawn; localStorage may be forbidden, then the system's colours stay.
(() => {
  try {
    const chosen = localStorage.getItem("seamline-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // Without storage the choice lasts for this visit only.
  }
})();
