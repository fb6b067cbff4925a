// Copies and saves texts that a page shows. Without it everything can be selected and copied by hand. [data-copy] is a text to
// copy, by the name in the attribute; [data-once] is one that is shown this once: leaving the page asks until it was copied,
// saved, or its box is ticked. Other scripts of the page give what they show to `texts.offer` and `texts.guard`.
"use strict";

const texts = (() => {
  const make = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const unsaved = new Set();
  const told = make("p", { class: "visually-hidden", role: "status", id: "copied" });
  const say = (words) => {
    told.textContent = "";
    // A live region speaks when its text changes.
    setTimeout(() => { told.textContent = words; }, 50);
  };
  const read = (place) => (place.querySelector("code") || place).textContent.trim();

  async function copy(place, text, name, button) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      getSelection().selectAllChildren(place);
      say("The browser does not let this page copy. The text is selected.");
      return false;
    }
    button.textContent = "Copied";
    say(`Copied: ${name}`);
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
    return true;
  }

  /** Gives a text a button that copies it. `done` is told of it. */
  function offer(place, name, done) {
    // Read now: the button itself may come to stand in the place.
    const text = read(place);
    const button = make("button", { type: "button", class: "button quiet small copy", "aria-label": `Copy ${name}` }, "Copy");
    button.addEventListener("click", async () => { if (await copy(place, text, name, button) && done) done(); });
    if (place.matches("dd, li, p.lead")) place.append(" ", button);
    else place.after(make("p", { class: "actions copying" }, button));
  }

  /** A text that is shown this once: its buttons, and the question before the page is left. */
  function guard(section, file) {
    const box = make("input", { type: "checkbox", autocomplete: "off", id: `saved-${file}`, "data-saved": "" });
    const saved = () => { unsaved.delete(section); box.checked = true; };
    unsaved.add(section);
    box.addEventListener("change", () => (box.checked ? unsaved.delete(section) : unsaved.add(section)));
    for (const place of section.querySelectorAll("[data-copy]")) if (!place.dataset.offered) begin(place, saved);
    for (const link of section.querySelectorAll("a[download]")) link.addEventListener("click", saved);
    if (!section.querySelector("a[download]")) {
      const place = section.querySelector("[data-copy]");
      const address = URL.createObjectURL(new Blob([`${read(place)}\n`], { type: "text/plain" }));
      const link = make("a", { class: "button quiet small", href: address, download: `${file}.txt` }, "Download");
      link.addEventListener("click", saved);
      const row = place.nextElementSibling;
      (row && row.matches(".copying") ? row : place).append(link);
    }
    section.append(make("p", { class: "check saved" }, box, make("label", { for: box.id }, "I have saved it")));
  }

  const begin = (place, done) => {
    place.dataset.offered = "yes";
    offer(place, place.dataset.copy, done);
  };
  const start = () => {
    document.body.append(told);
    for (const section of document.querySelectorAll("[data-once]")) guard(section, section.dataset.once);
    for (const place of document.querySelectorAll("[data-copy]")) if (!place.dataset.offered) begin(place);
  };
  addEventListener("beforeunload", (event) => {
    if ([...unsaved].some((section) => section.isConnected)) event.preventDefault();
  });
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
  return { guard };
})();
