// Shows a tenant's looks while they are typed. The server draws them: the form is sent as its button "Show" sends it, nothing
// is saved, and the parts that wear the looks are taken from the answer. Without this script that button shows the whole page.
"use strict";

const PAUSE = 250; // milliseconds without a keystroke
const WORN = [".mock", "a.home"];
const THEME = 'link[href*="/assets/theme-"]';

const form = document.getElementById("looks");
let waiting = 0;
let asked = 0;

async function draw() {
  const turn = ++asked;
  const body = new URLSearchParams(new FormData(form));
  body.set("decision", "show");
  const answer = await fetch(form.action, { method: "POST", body }).catch(() => null);
  const text = answer && answer.ok ? await answer.text() : "";
  const shown = new DOMParser().parseFromString(text, "text/html");
  // An older answer, a refusal (a colour half typed) or a page that asks to sign in leaves what is there.
  if (turn !== asked || !shown.querySelector(".mock")) return;
  for (const part of WORN) document.querySelector(part).replaceWith(shown.querySelector(part));
  document.querySelector(THEME).href = shown.querySelector(THEME).getAttribute("href");
}

const button = document.getElementById("show");
if (button) {
  button.remove();
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(draw, PAUSE);
  });
}
