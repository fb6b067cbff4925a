// Asks before a form is left whose changes are not saved: [data-keep] is such a form. Without it, whoever leaves loses them.
"use strict";

{
  const sent = new Set();
  // What a form holds that was refused is not saved either.
  const changed = (form) =>
    form.dataset.keep === "refused" ||
    [...form.elements].some((field) => {
      if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
      if (field.tagName === "SELECT") {
        const before = [...field.options].find((one) => one.defaultSelected) || field.options[0];
        return Boolean(before) && !before.selected;
      }
      return "defaultValue" in field && field.type !== "hidden" && field.value !== field.defaultValue;
    });
  const forms = () => [...document.querySelectorAll("form[data-keep]")];
  for (const form of document.forms) form.addEventListener("submit", () => sent.add(form));
  for (const link of document.querySelectorAll("[data-discard]")) link.addEventListener("click", () => sent.add(link));
  addEventListener("beforeunload", (event) => {
    // One form that is sent takes the page along, whatever stands in the others.
    if (!sent.size && forms().some(changed)) event.preventDefault();
  });
  // Back in this page from the next one: nothing is on its way any more.
  addEventListener("pageshow", () => sent.clear());
}
