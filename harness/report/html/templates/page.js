"use strict";
const form = document.querySelector(".filter");
const rows = [...document.querySelectorAll("[data-claim]")];
const say = form.querySelector("output");
function apply() {
  const words = form.elements.q.value.toLowerCase().split(/\s+/).filter(Boolean);
  const verdict = form.elements.verdict.value, from = form.elements.document.value, tag = form.elements.tag.value;
  const shown = new Set();
  for (const row of rows) {
    const own = row.dataset;
    const fits = words.every((word) => own.words.includes(word)) && (!from || own.document === from) &&
      (!tag || own.tags.split(" ").includes(tag)) && (!verdict || own.verdicts.split(" ").includes(verdict));
    row.hidden = !fits;
    if (fits) shown.add(own.claim);
  }
  const asked = words.length || verdict || from || tag;
  for (const part of document.querySelectorAll(".document")) {
    part.hidden = !part.querySelector("[data-claim]:not([hidden])");
    if (asked) part.open = true;
  }
  say.value = `${shown.size} of ${form.dataset.total} claims`;
}
form.hidden = false;
form.addEventListener("input", apply);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(apply));
apply();
